// Command lost-cancel refreshes an exchange rate for as long as a basket is open. Emptying a basket
// forgets the cancel function along with it, so that its refreshing goes on.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type basket struct {
	rate   float64
	cancel context.CancelFunc
}

func open() *basket {
	ctx, cancel := context.WithCancel(context.Background())
	b := &basket{rate: 1, cancel: cancel}
	go b.refresh(ctx)
	return b
}

func (b *basket) refresh(ctx context.Context) {
	every := time.NewTicker(30 * time.Second)
	defer every.Stop()
	for {
		select { // want: context-not-cancelled likely pattern=lost-cancel
		case <-ctx.Done():
			return
		case <-every.C:
			b.rate *= 1.001
		}
	}
}

func (b *basket) pay() { b.cancel() }

func (b *basket) empty() { *b = basket{rate: b.rate} }

func main() {
	alive.Ready()
	for n := 0; ; n++ {
		b := open()
		if n%3 == 0 {
			b.empty()
		} else {
			b.pay()
		}
		time.Sleep(120 * time.Millisecond)
	}
}
