// Command timed-out-quote asks a supplier for prices and gives up on late answers. Nobody is left to
// take the late answer, and the channel has no room for it.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

var errLate = errors.New("no price in time")

func quote(item string, late bool) (int, error) {
	answer := make(chan int)
	go func() {
		answer <- askSupplier(item, late) // want: channel-send likely pattern=timed-out-receiver
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
