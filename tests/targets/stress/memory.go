package main

import (
	"runtime"
	"sync/atomic"
	"time"
)

func startMemory() {
	go growStacks(part("stacks"))
	go collect(part("collections"), part("finalizers"))
	go moveHeap(part("trees"))
}

// growStacks starts goroutines whose stacks grow by copying while pointers into them are held.
func growStacks(grown *atomic.Int64) {
	done := make(chan bool)
	for depth := 1; ; depth = depth%400 + 37 {
		go func() {
			anchor := depth * 3
			done <- dig(depth, &anchor) == depth+1 && anchor == depth*3
		}()
		if !<-done {
			wrong("a stack %d frames deep did not come back as it was", depth)
			return
		}
		grown.Add(1)
	}
}

//go:noinline
func dig(depth int, anchor *int) int {
	var block [96]int
	block[depth%len(block)] = *anchor
	if depth == 0 {
		return 1
	}
	below := dig(depth-1, anchor)
	if block[depth%len(block)] != *anchor {
		return -1 << 40
	}
	return below + 1
}

func collect(collections, finalized *atomic.Int64) {
	for {
		for i := 0; i < 10; i++ {
			object := &[64]byte{}
			runtime.SetFinalizer(object, func(*[64]byte) { finalized.Add(1) })
		}
		runtime.GC()
		collections.Add(1)
		time.Sleep(5 * time.Millisecond)
	}
}

type tree struct {
	left, right *tree
	value       int
}

// moveHeap builds trees and takes them apart, with collections in between.
func moveHeap(built *atomic.Int64) {
	for {
		const depth = 10
		if got, want := sum(grow(depth, 1)), 1<<depth-1; got != want {
			wrong("a tree holds %d in place of %d", got, want)
			return
		}
		built.Add(1)
	}
}

func grow(depth, value int) *tree {
	if depth == 0 {
		return nil
	}
	return &tree{grow(depth-1, value), grow(depth-1, value), value}
}

func sum(t *tree) int {
	if t == nil {
		return 0
	}
	return t.value + sum(t.left) + sum(t.right)
}
