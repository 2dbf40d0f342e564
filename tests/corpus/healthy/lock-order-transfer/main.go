// Command lock-order-transfer moves money between accounts and always locks the one with the lower
// number first.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type account struct {
	number int
	mu     sync.Mutex
	cents  int
}

func transfer(from, to *account, cents int) {
	first, second := from, to
	if second.number < first.number {
		first, second = second, first
	}
	first.mu.Lock()
	defer first.mu.Unlock()
	checkLimit(cents)
	second.mu.Lock()
	defer second.mu.Unlock()
	from.cents -= cents
	to.cents += cents
}

// checkLimit asks the bank, which takes its time.
func checkLimit(int) { time.Sleep(50 * time.Millisecond) }

func main() {
	savings, daily := &account{number: 1, cents: 1000}, &account{number: 2, cents: 1000}
	alive.Ready()
	for range time.Tick(150 * time.Millisecond) {
		go transfer(savings, daily, 10)
		go transfer(daily, savings, 20)
	}
}
