// Command after-func-loop renews 30 leases, each with a time.AfterFunc that sets itself up again.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type lease struct {
	mu      sync.Mutex
	every   time.Duration
	timer   *time.Timer
	renewed int
}

func (l *lease) start() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.timer = time.AfterFunc(l.every, l.renew)
}

func (l *lease) renew() {
	// The other side answers within a few milliseconds.
	time.Sleep(5 * time.Millisecond)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed++
	l.timer.Reset(l.every)
}

func main() {
	for i := 0; i < 30; i++ {
		l := &lease{every: time.Duration(500+50*i) * time.Millisecond}
		l.start()
	}
	alive.Ready()
	select {}
}
