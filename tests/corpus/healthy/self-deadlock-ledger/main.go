// Command self-deadlock-ledger has methods that lock the ledger, and one for those who have done so.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type ledger struct {
	mu      sync.Mutex
	entries []int
}

func (l *ledger) book(cents int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries, cents)
}

func (l *ledger) closeMonth() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries[:0], l.balanceLocked())
}

func (l *ledger) balanceLocked() (sum int) {
	for _, cents := range l.entries {
		sum += cents
	}
	return sum
}

func main() {
	l := new(ledger)
	alive.Ready()
	for n := 1; ; n++ {
		go l.book(n)
		if n%20 == 0 {
			go l.closeMonth()
		}
		time.Sleep(125 * time.Millisecond)
	}
}
