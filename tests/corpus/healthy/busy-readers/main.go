// Command busy-readers has 50 readers of a price list, who hold its read lock for a while, and a
// writer every 300 ms, behind whom they queue.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type prices struct {
	mu    sync.RWMutex
	cents map[string]int
}

func (p *prices) quote(item string) int {
	p.mu.RLock()
	defer p.mu.RUnlock()
	time.Sleep(40 * time.Millisecond)
	return p.cents[item]
}

func (p *prices) change(item string, cents int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	time.Sleep(30 * time.Millisecond)
	p.cents[item] = cents
}

func main() {
	p := &prices{cents: map[string]int{"tea": 250}}
	for i := 0; i < 50; i++ {
		go func() {
			for {
				p.quote("tea")
				time.Sleep(100 * time.Millisecond)
			}
		}()
	}
	alive.Ready()
	for n := 0; ; n++ {
		p.change("tea", 250+n%9)
		time.Sleep(300 * time.Millisecond)
	}
}
