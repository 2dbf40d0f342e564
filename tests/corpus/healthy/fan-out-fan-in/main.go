// Command fan-out-fan-in prices baskets under a steady load: each basket's items go out to goroutines
// and come back into one sum.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type item struct{ cents, count int }

func price(ctx context.Context, i item, prices chan<- int) {
	time.Sleep(time.Duration(i.cents%40) * time.Millisecond)
	select {
	case prices <- i.cents * i.count:
	case <-ctx.Done():
	}
}

func total(items []item) (sum int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	prices := make(chan int)
	for _, i := range items {
		go price(ctx, i, prices)
	}
	for range items {
		select {
		case cents := <-prices:
			sum += cents
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return sum, nil
}

func main() {
	basket := []item{{199, 1}, {1250, 2}, {75, 12}, {3333, 1}, {20, 50}}
	alive.Ready()
	for range time.Tick(40 * time.Millisecond) {
		go total(basket)
	}
}
