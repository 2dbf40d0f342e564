// Command cond-pool has 16 workers that wait for work with a condition. A batch wakes them all.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type pool struct {
	mu    sync.Mutex
	some  *sync.Cond
	queue []int
	done  int
}

func (p *pool) work() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		for len(p.queue) == 0 {
			p.some.Wait()
		}
		p.done += p.queue[0]
		p.queue = p.queue[1:]
	}
}

func (p *pool) put(jobs ...int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = append(p.queue, jobs...)
	p.some.Broadcast()
}

func main() {
	p := new(pool)
	p.some = sync.NewCond(&p.mu)
	for i := 0; i < 16; i++ {
		go p.work()
	}
	alive.Ready()
	for range time.Tick(20 * time.Second) {
		p.put(1, 2, 3, 4, 5)
	}
}
