package main

import (
	"fmt"
	"sync"
	"time"
)

const (
	kib = 1 << 10
	mib = 1 << 20
)

// inUse is what a goroutine that leaks has too, and keeps nobody.
var inUse = make([]byte, 4*mib)

// load is on the heap, and so is what it leads to.
type load struct {
	own    []byte
	others [][]byte
}

// heavy begins goroutines that leak with something on the heap; pairs of a kind and the id of one.
func heavy() string {
	var begun []string
	var wait sync.WaitGroup
	begin := func(kind string, body func(chan int, *load), what *load) {
		wait.Add(1)
		go func() {
			mu.Lock()
			begun = append(begun, fmt.Sprintf("%s=%s", kind, goid()))
			mu.Unlock()
			wait.Done()
			body(make(chan int), what)
		}()
	}
	for range [10]struct{}{} {
		begin("alone", alone, &load{own: make([]byte, 64*kib), others: [][]byte{inUse}})
	}
	shared := make([]byte, 3*mib)
	begin("one", one, &load{own: make([]byte, 128*kib), others: [][]byte{shared}})
	begin("other", other, &load{own: make([]byte, 256*kib), others: [][]byte{shared, make([]byte, 512*kib)}})
	wait.Wait()
	time.Sleep(100 * time.Millisecond)
	mu.Lock()
	defer mu.Unlock()
	answer := "OK"
	for _, it := range begun {
		answer += " " + it
	}
	return answer
}

//go:noinline
func alone(ch chan int, what *load) {
	<-ch
	sink.Add(int64(len(what.own)))
	what.others[0][0]++
}

//go:noinline
func one(ch chan int, what *load) {
	<-ch
	sink.Add(int64(len(what.own)))
	what.others[0][0]++
}

//go:noinline
func other(ch chan int, what *load) {
	<-ch
	sink.Add(int64(len(what.own)))
	what.others[0][0]++
}
