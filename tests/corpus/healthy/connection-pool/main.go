// Command connection-pool is built like a database client: an opener waits for requests to connect, a
// cleaner closes what has been idle for too long, and callers wait their turn for ten connections.
package main

import (
	"context"
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type connection struct{ number int64 }

type pool struct {
	wanted chan struct{}
	idle   chan *connection
	opened atomic.Int64
}

func (p *pool) opener(ctx context.Context) {
	for {
		select {
		case <-p.wanted:
			p.idle <- &connection{number: p.opened.Add(1)}
		case <-ctx.Done():
			return
		}
	}
}

func (p *pool) cleaner(ctx context.Context) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		select {
		case <-p.idle:
			p.wanted <- struct{}{}
		default:
		}
	}
}

func (p *pool) query(ctx context.Context) error {
	select {
	case c := <-p.idle:
		time.Sleep(80 * time.Millisecond)
		p.idle <- c
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := &pool{wanted: make(chan struct{}, 10), idle: make(chan *connection, 10)}
	go p.opener(ctx)
	go p.cleaner(ctx)
	for i := 0; i < 10; i++ {
		p.wanted <- struct{}{}
	}
	alive.Ready()
	for range time.Tick(10 * time.Millisecond) {
		go func() {
			limited, done := context.WithTimeout(ctx, 2*time.Second)
			defer done()
			p.query(limited)
		}()
	}
}
