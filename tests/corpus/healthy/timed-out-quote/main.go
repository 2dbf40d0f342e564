// Command timed-out-quote asks a supplier for prices and gives up on late answers. A late answer goes
// into the channel's buffer, and the one who sent it is done.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

var errLate = errors.New("no price in time")

func quote(item string, late bool) (int, error) {
	answer := make(chan int, 1)
	go func() {
		answer <- askSupplier(item, late)
	}()
	select {
	case cents := <-answer:
		return cents, nil
	case <-time.After(20 * time.Millisecond):
		return 0, errLate
	}
}

func askSupplier(item string, late bool) int {
	if late {
		time.Sleep(50 * time.Millisecond)
	}
	return 100 + 25*len(item)
}

func main() {
	alive.Ready()
	asked := 0
	for range time.Tick(50 * time.Millisecond) {
		asked++
		go quote("tea", asked%2 == 0)
	}
}
