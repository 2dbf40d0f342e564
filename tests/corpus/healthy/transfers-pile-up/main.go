// Command transfers-pile-up moves money between accounts, and locks the lower number of two first.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type account struct {
	sync.Mutex
	number, balance int
}

func transfer(from, to *account, amount int) {
	first, second := from, to
	if second.number < first.number {
		first, second = second, first
	}
	first.Lock()
	defer first.Unlock()
	audit()
	second.Lock()
	defer second.Unlock()
	from.balance -= amount
	to.balance += amount
}

// audit takes a while.
func audit() { time.Sleep(20 * time.Millisecond) }

func main() {
	alive.Ready()
	for number := 0; ; number += 2 {
		a, b := &account{number: number, balance: 100}, &account{number: number + 1, balance: 100}
		go transfer(a, b, 10)
		go transfer(b, a, 20)
		time.Sleep(500 * time.Millisecond)
	}
}
