// Command custom-parent has sessions that are contexts of a type of their own. Each query derives a
// context from its session and cancels it when it has its answer, which ends the goroutine that the
// context package keeps for it.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

// session is a context that ends when its connection does.
type session struct {
	context.Context
	closed chan struct{}
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
	ctx, cancel := context.WithCancel(s)
	defer cancel()
	return run(ctx, statement)
}

func run(ctx context.Context, statement string) int {
	select {
	case <-time.After(700 * time.Millisecond):
		return len(statement)
	case <-ctx.Done():
		return 0
	}
}

func main() {
	s := &session{Context: context.Background(), closed: make(chan struct{})}
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		go s.query("select 1")
	}
}
