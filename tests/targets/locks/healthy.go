package main

import (
	"sync"
	"time"
)

func startHealthy() {
	// Each of twelve holds the lock for 150 ms: everybody waits for more than a second, and the
	// lock moves all the time.
	busy := new(sync.Mutex)
	for i := 0; i < 12; i++ {
		go takeTurns(busy)
	}
	// Two locks in one order.
	outer, inner := new(sync.Mutex), new(sync.Mutex)
	for i := 0; i < 8; i++ {
		go inOrder(outer, inner)
	}
	// Readers and writers.
	table := new(sync.RWMutex)
	for i := 0; i < 8; i++ {
		go readTurns(table)
		go writeTurns(table)
	}
	go runPool()
}

func takeTurns(mu *sync.Mutex) {
	for {
		mu.Lock()
		time.Sleep(150 * time.Millisecond)
		mu.Unlock()
	}
}

func inOrder(outer, inner *sync.Mutex) {
	for {
		func() {
			outer.Lock()
			defer outer.Unlock()
			time.Sleep(100 * time.Millisecond)
			inner.Lock()
			defer inner.Unlock()
			time.Sleep(100 * time.Millisecond)
		}()
	}
}

func readTurns(mu *sync.RWMutex) {
	for {
		mu.RLock()
		time.Sleep(100 * time.Millisecond)
		mu.RUnlock()
	}
}

func writeTurns(mu *sync.RWMutex) {
	for {
		mu.Lock()
		time.Sleep(150 * time.Millisecond)
		mu.Unlock()
	}
}

// pool is workers that idle on a condition, and somebody who waits for them to end.
type pool struct {
	mu      sync.Mutex
	work    *sync.Cond
	workers sync.WaitGroup
	jobs    []func()
}

func runPool() {
	p := new(pool)
	p.work = sync.NewCond(&p.mu)
	for i := 0; i < 4; i++ {
		p.workers.Add(1)
		go p.idle()
	}
	p.workers.Wait()
}

func (p *pool) idle() {
	defer p.workers.Done()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.jobs) == 0 {
		p.work.Wait()
	}
}
