package main

import (
	"errors"
	"runtime"
)

// cached is what leakMemory leaks: a slice that is only added to.
var cached stack[[]byte]

func leakMemory(bytes int) (leak, error) {
	add := func() error {
		block := make([]byte, bytes)
		// What is never written is never resident.
		for at := 0; at < len(block); at += 4096 {
			block[at] = 1
		}
		cached.hold(block)
		return nil
	}
	return leak{add, func() error { cached.pop(); return nil }}, nil
}

// node is one of two that point to each other.
type node struct {
	other *node
	block []byte
}

// leakCycles leaks pairs of objects that point to each other, one of which has a finalizer: the runtime never frees
// them, whoever forgets them.
func leakCycles(bytes int) (leak, error) {
	add := func() error {
		a, b := &node{block: make([]byte, bytes)}, &node{}
		a.other, b.other = b, a
		runtime.SetFinalizer(a, func(*node) {})
		return nil
	}
	return leak{add, func() error { return errors.New("a cycle with a finalizer stays for ever") }}, nil
}
