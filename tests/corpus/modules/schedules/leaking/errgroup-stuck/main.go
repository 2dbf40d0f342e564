// Command errgroup-stuck asks two suppliers through an errgroup. One of them may never answer, and does not
// know of the group's context: Wait waits for it.
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
	<-answers // want: channel-receive likely
	return ctx.Err()
}

func offers() error {
	group, ctx := errgroup.WithContext(context.Background())
	group.Go(func() error { return offer(ctx, make(chan int)) })
	group.Go(func() error { return errNone })
	return group.Wait() // want: waitgroup likely
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		go offers()
	}
}
