// Command busy-mutex has 40 tellers who share one till. Each holds its lock for 20 ms at a time, so
// that most wait for it at any moment, and each gets it about once a second.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type till struct {
	mu    sync.Mutex
	cents int
}

func (t *till) pay(cents int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	time.Sleep(20 * time.Millisecond)
	t.cents += cents
}

func teller(t *till) {
	for {
		t.pay(5)
		time.Sleep(10 * time.Millisecond)
	}
}

func main() {
	t := new(till)
	for i := 0; i < 40; i++ {
		go teller(t)
	}
	alive.Ready()
	select {}
}
