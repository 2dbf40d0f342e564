// Command lost-cancel refreshes an exchange rate for as long as a basket is open. Paying and emptying
// both end that.
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
		select {
		case <-ctx.Done():
			return
		case <-every.C:
			b.rate *= 1.001
		}
	}
}

func (b *basket) pay() { b.cancel() }

func (b *basket) empty() {
	b.cancel()
	*b = basket{rate: b.rate}
}

func main() {
	alive.Ready()
	var held []*basket
	for n := 0; ; n++ {
		held = append(held, open())
		if len(held) > 20 {
			if n%3 == 0 {
				held[0].empty()
			} else {
				held[0].pay()
			}
			held = held[1:]
		}
		time.Sleep(120 * time.Millisecond)
	}
}
