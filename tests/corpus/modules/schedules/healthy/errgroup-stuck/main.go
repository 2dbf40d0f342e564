// Command errgroup-stuck asks two suppliers through an errgroup, whose context ends a question without an
// answer.
package main

import (
	"context"
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"golang.org/x/sync/errgroup"
)

var errNone = errors.New("sold out")

func offer(ctx context.Context, answers <-chan int) error {
	select {
	case <-answers:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func offers() error {
	group, ctx := errgroup.WithContext(context.Background())
	group.Go(func() error { return offer(ctx, make(chan int)) })
	group.Go(func() error { return errNone })
	return group.Wait()
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		go offers()
	}
}
