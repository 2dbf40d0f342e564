// Command background-informers watches sixty kinds of objects until a context ends that never does: the
// Done of the background context is a nil channel.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type informer struct {
	kind    int
	changes chan int
}

func (i *informer) run(ctx context.Context) {
	go i.watch(ctx)
	<-ctx.Done()
}

func (i *informer) watch(ctx context.Context) {
	for {
		select {
		case <-i.changes:
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	var informers []*informer
	for kind := 0; kind < 60; kind++ {
		i := &informer{kind, make(chan int)}
		informers = append(informers, i)
		go i.run(context.Background())
	}
	alive.Ready()
	for round := 0; ; round++ {
		informers[round%len(informers)].changes <- round
		time.Sleep(50 * time.Millisecond)
	}
}
