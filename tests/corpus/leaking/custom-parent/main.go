// Command custom-parent has sessions that are contexts of a type of their own. Each query derives a
// context from its session and keeps the cancel function for the session's end, which is far: until
// then the context package keeps a goroutine for each.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

// session is a context that ends when its connection does.
type session struct {
	context.Context
	closed  chan struct{}
	cancels []context.CancelFunc
}

func (s *session) Done() <-chan struct{} { return s.closed }

func (s *session) Err() error {
	select {
	case <-s.closed:
		return context.Canceled
	default:
		return nil
	}
}

func (s *session) query(statement string) int {
	ctx, cancel := context.WithCancel(s) // want: context-not-cancelled likely pattern=lost-cancel at=context.(*cancelCtx).propagateCancel
	s.cancels = append(s.cancels, cancel)
	return run(ctx, statement)
}

func run(ctx context.Context, statement string) int {
	if ctx.Err() != nil {
		return 0
	}
	return len(statement)
}

func main() {
	s := &session{Context: context.Background(), closed: make(chan struct{})}
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		s.query("select 1")
	}
}
