// Command long-computation looks for primes in one goroutine for ever, a little at a time, since it
// shares the machine: it works for 1 ms and rests for 60.
package main

import (
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type search struct{ found, next atomic.Int64 }

func prime(n int64) bool {
	for d := int64(3); d*d <= n; d += 2 {
		if n%d == 0 {
			return false
		}
	}
	return true
}

func (s *search) run() {
	for n := int64(1_000_000_001); ; {
		for end := time.Now().Add(time.Millisecond); time.Now().Before(end); n += 2 {
			if prime(n) {
				s.found.Add(1)
			}
		}
		s.next.Store(n)
		time.Sleep(60 * time.Millisecond)
	}
}

func main() {
	s := new(search)
	go s.run()
	alive.Ready()
	for range time.Tick(10 * time.Second) {
		s.found.Load()
	}
}
