// Command lock-ring has three subsystems, each of which calls the next one while it holds its own
// lock: the scheduler the pool, the pool the store, the store the scheduler.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type (
	scheduler struct {
		mu   sync.Mutex
		pool *pool
	}
	pool struct {
		mu    sync.Mutex
		store *store
	}
	store struct {
		mu        sync.Mutex
		scheduler *scheduler
	}
)

func work() { time.Sleep(50 * time.Millisecond) }

func (s *scheduler) plan() {
	s.mu.Lock()
	defer s.mu.Unlock()
	work()
	s.pool.mu.Lock() // want: deadlock-cycle likely pattern=lock-order
	defer s.pool.mu.Unlock()
}

func (p *pool) resize() {
	p.mu.Lock()
	defer p.mu.Unlock()
	work()
	p.store.mu.Lock() // want: deadlock-cycle likely pattern=lock-order
	defer p.store.mu.Unlock()
}

func (s *store) compact() {
	s.mu.Lock()
	defer s.mu.Unlock()
	work()
	s.scheduler.mu.Lock() // want: deadlock-cycle likely pattern=lock-order
	defer s.scheduler.mu.Unlock()
}

func main() {
	plans, conns, data := new(scheduler), new(pool), new(store)
	plans.pool, conns.store, data.scheduler = conns, data, plans
	go plans.plan()
	go conns.resize()
	go data.compact()
	alive.Ready()
	for range time.Tick(time.Minute) {
	}
}
