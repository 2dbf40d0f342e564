package main

import (
	"context"
	"sync/atomic"
	"time"
)

// mostAbandoned bounds what the mistake below can cost the machine that the demo runs on.
const mostAbandoned = 20_000

// priceList asks a supplier for prices. One answer in ten comes late.
type priceList struct {
	asked, late atomic.Int64
}

func newPriceList() *priceList { return &priceList{} }

// quote asks for a price, and gives up when ctx ends.
//
// The mistake: when it gives up, nobody is left to receive from the channel, and the goroutine
// waits to send for ever. A buffer of one would let it go.
func (p *priceList) quote(ctx context.Context, item string) (int, error) {
	answer := make(chan int)
	go func() {
		answer <- p.askSupplier(item)
	}()
	select {
	case cents := <-answer:
		return cents, nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (p *priceList) askSupplier(item string) int {
	delay := time.Millisecond
	if p.asked.Add(1)%10 == 0 && p.late.Load() < mostAbandoned {
		p.late.Add(1)
		delay = 60 * time.Millisecond
	}
	time.Sleep(delay)
	return 100 + 25*len(item)
}
