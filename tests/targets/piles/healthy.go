package main

import (
	"math/rand"
	"time"
)

// serveSessions starts sessions all the time, which last 7 s in the mean.
func serveSessions() {
	for {
		done := make(chan struct{})
		go holdSession(done)
		time.AfterFunc(time.Duration(rand.ExpFloat64()*float64(7*time.Second)), func() { close(done) })
		time.Sleep(90 * time.Millisecond)
	}
}

//go:noinline
func holdSession(done chan struct{}) {
	<-done
}

// startWorkers starts a pool in which each worker has a queue of its own.
func startWorkers() {
	queues := make([]chan int, 80)
	for i := range queues {
		queues[i] = make(chan int, 4)
		go workOn(queues[i])
	}
	go func() {
		for {
			queues[rand.Intn(len(queues))] <- 1
			time.Sleep(50 * time.Millisecond)
		}
	}()
}

//go:noinline
func workOn(queue chan int) {
	for range queue {
	}
}

// startPool starts a pool that has nothing to do.
func startPool() {
	for range [80]struct{}{} {
		go waitForWork(make(chan int))
	}
}

//go:noinline
func waitForWork(queue chan int) {
	for range queue {
	}
}

// warmUp starts what is needed of one kind within the first quarter of a minute.
func warmUp() {
	for range [80]struct{}{} {
		go serveTenant(make(chan int))
		time.Sleep(180 * time.Millisecond)
	}
}

//go:noinline
func serveTenant(requests chan int) {
	<-requests
}

// fillCache keeps the 60 entries that came last.
func fillCache() {
	var entries []chan struct{}
	for {
		entry := make(chan struct{})
		go keepEntry(entry)
		if entries = append(entries, entry); len(entries) > 60 {
			close(entries[0])
			entries = entries[1:]
		}
		time.Sleep(250 * time.Millisecond)
	}
}

//go:noinline
func keepEntry(evicted chan struct{}) {
	<-evicted
}
