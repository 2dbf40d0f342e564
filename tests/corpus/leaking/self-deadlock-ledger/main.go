// Command self-deadlock-ledger has a method that locks the ledger and calls another one that locks it
// too. All who book afterwards wait behind it.
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
	l.mu.Lock() // want: mutex likely
	defer l.mu.Unlock()
	l.entries = append(l.entries, cents)
}

func (l *ledger) closeMonth() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries = append(l.entries[:0], l.balance())
}

func (l *ledger) balance() (sum int) {
	l.mu.Lock() // want: deadlock-cycle likely pattern=self-deadlock
	defer l.mu.Unlock()
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
		if n == 20 {
			go l.closeMonth()
		}
		time.Sleep(125 * time.Millisecond)
	}
}
