// Command lock-order-transfer moves money between accounts and locks them in the order in which they
// are named. Two transfers in opposite directions have met, and wait for each other.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type account struct {
	mu    sync.Mutex
	cents int
}

func transfer(from, to *account, cents int) {
	from.mu.Lock()
	defer from.mu.Unlock()
	checkLimit(cents)
	to.mu.Lock() // want: deadlock-cycle likely pattern=lock-order
	defer to.mu.Unlock()
	from.cents -= cents
	to.cents += cents
}

// checkLimit asks the bank, which takes long enough for the other transfer to begin.
func checkLimit(int) { time.Sleep(50 * time.Millisecond) }

func main() {
	savings, daily := &account{cents: 1000}, &account{cents: 1000}
	go transfer(savings, daily, 10)
	go transfer(daily, savings, 20)
	alive.Ready()
	for range time.Tick(time.Minute) {
	}
}
