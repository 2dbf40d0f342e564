package main

import (
	"context"
	"sync"
	"sync/atomic"
)

// leakSenders leaks goroutines that send a result which nobody waits for any more.
func leakSenders(int) (leak, error) {
	var results stack[chan int]
	add := func() error {
		result := make(chan int)
		go sendResult(result)
		results.push(result)
		return nil
	}
	return leak{add, func() error { <-results.pop(); return nil }}, nil
}

func sendResult(result chan int) {
	result <- 1
}

// leakSelects leaks goroutines that wait for work or for the end, neither of which comes.
func leakSelects(int) (leak, error) {
	var ends stack[chan struct{}]
	add := func() error {
		work, end := make(chan int), make(chan struct{})
		go workUntil(work, end)
		ends.push(end)
		return nil
	}
	return leak{add, func() error { close(ends.pop()); return nil }}, nil
}

func workUntil(work chan int, end chan struct{}) {
	for {
		select {
		case <-work:
		case <-end:
			return
		}
	}
}

// leakLocked leaks goroutines that wait for a mutex which is never given back.
func leakLocked(int) (leak, error) {
	var state sync.Mutex
	// Whoever has it gives it back once told to, and is one less.
	next := make(chan struct{})
	take := func() {
		state.Lock()
		<-next
		state.Unlock()
	}
	// The first one has it, and is no waiter.
	go take()
	add := func() error {
		go take()
		return nil
	}
	return leak{add, func() error { next <- struct{}{}; return nil }}, nil
}

// leakContexts leaks goroutines that wait for contexts which nobody cancels.
func leakContexts(int) (leak, error) {
	var cancels stack[context.CancelFunc]
	add := func() error {
		ctx, cancel := context.WithCancel(context.Background())
		go watch(ctx)
		cancels.push(cancel)
		return nil
	}
	return leak{add, func() error { cancels.pop()(); return nil }}, nil
}

func watch(ctx context.Context) {
	<-ctx.Done()
}

// leakLoops leaks goroutines that run for ever.
func leakLoops(int) (leak, error) {
	var ends stack[*atomic.Bool]
	add := func() error {
		end := new(atomic.Bool)
		go loop(end)
		ends.push(end)
		return nil
	}
	return leak{add, func() error { ends.pop().Store(true); return nil }}, nil
}

func loop(end *atomic.Bool) {
	for !end.Load() {
	}
}
