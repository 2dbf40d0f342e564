// Command sawtooth-batch collects orders for eight seconds, each of which waits for the batch to be
// booked, and then books them all at once. The number of those who wait is a sawtooth.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type batch struct {
	booked chan struct{}
	orders int
}

func (b *batch) order() { <-b.booked }

func main() {
	alive.Ready()
	for {
		b := &batch{booked: make(chan struct{})}
		for b.orders = 0; b.orders < 160; b.orders++ {
			go b.order()
			time.Sleep(50 * time.Millisecond)
		}
		close(b.booked)
	}
}
