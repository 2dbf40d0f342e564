package main

import (
	"context"
	"time"
)

type key struct{}

func startChannels() {
	full := make(chan int, 2)
	full <- 1
	full <- 2
	unread := make(chan string)
	for i := 0; i < 3; i++ {
		go sendUnbuffered(unread)
	}
	go sendFull(full)
	go receive(never)
	go receiveTwoValued(never)
	go rangeOver(never)
	go sendNil()
	go receiveNil()
	go selectSeveral(never, unread)
	go selectOne(never)
	go selectWithTimer(never)
	go selectNil()
	go emptySelect()

	ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, 1))
	go waitForContext(ctx)
	go waitForContextOr(ctx, never)
	stopped, stop := context.WithTimeout(ctx, 1000*time.Hour)
	go waitForContext(stopped)
	// Both live as long as the goroutines that wait for them: for good.
	_, _ = cancel, stop
}

func sendUnbuffered(to chan<- string) { to <- "nobody reads this" }

func sendFull(to chan<- int) { to <- 3 }

func receive(from <-chan int) { <-from }

func receiveTwoValued(from <-chan int) {
	if value, open := <-from; open {
		println(value)
	}
}

func rangeOver(from <-chan int) {
	for value := range from {
		println(value)
	}
}

func sendNil() {
	var to chan int
	to <- 1
}

func receiveNil() {
	var from chan int
	<-from
}

func selectSeveral(in <-chan int, out chan<- string) {
	other := make(chan bool)
	select {
	case value := <-in:
		println(value)
	case out <- "never":
	case <-other:
	}
}

func selectOne(in <-chan int) {
	for {
		select {
		case <-in:
		}
	}
}

func selectWithTimer(in <-chan int) {
	select {
	case <-in:
	case <-time.After(1000 * time.Hour):
	}
}

func selectNil() {
	var first, second chan int
	select {
	case <-first:
	case second <- 1:
	}
}

func emptySelect() { select {} }

func waitForContext(ctx context.Context) { <-ctx.Done() }

func waitForContextOr(ctx context.Context, in <-chan int) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-in:
		return nil
	}
}
