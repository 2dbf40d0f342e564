package main

import (
	"sync"
	"time"
)

// contend makes a mutex and its waiters known to the block and mutex profiles.
func contend() {
	var mu sync.Mutex
	var done sync.WaitGroup
	mu.Lock()
	for i := 0; i < 4; i++ {
		done.Add(1)
		go contender(&mu, &done)
	}
	time.Sleep(5 * time.Millisecond)
	mu.Unlock()
	done.Wait()
}

func contender(mu *sync.Mutex, done *sync.WaitGroup) {
	defer done.Done()
	mu.Lock()
	time.Sleep(time.Millisecond)
	mu.Unlock()
}

// deadlock leaves nothing that could wake anybody.
func deadlock() {
	for i := 0; i < 2; i++ {
		go receiveNever()
	}
	go send(make(chan int))
	var group sync.WaitGroup
	group.Add(1)
	group.Wait()
}

// race writes without a lock to what another goroutine reads.
func race() {
	var shared int
	done := make(chan bool)
	go func() {
		shared++
		close(done)
	}()
	time.Sleep(20 * time.Millisecond)
	println("shared", shared)
	<-done
	startStates()
	time.Sleep(200 * time.Millisecond)
	panic("behind a race")
}
