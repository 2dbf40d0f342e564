// Command after-poll waits for payments by looking every two seconds. A payment that is cancelled is
// never "paid", and its poll goes on: one in five seconds.
package main

import (
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type payment struct {
	paid  atomic.Bool
	looks int
}

func (p *payment) await() {
	for !p.paid.Load() {
		<-time.After(2 * time.Second) // want: timer likely
		p.looks++
	}
}

func main() {
	alive.Ready()
	for n := 1; ; n++ {
		p := new(payment)
		p.paid.Store(n%10 != 0)
		go p.await()
		time.Sleep(500 * time.Millisecond)
	}
}
