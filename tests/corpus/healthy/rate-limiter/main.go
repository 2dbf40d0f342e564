// Command rate-limiter hands out 20 permits a second. Callers come a little faster for some seconds,
// queue, and come slower until the queue is gone.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type limiter struct{ permits chan struct{} }

func (l *limiter) refill(every time.Duration) {
	for range time.Tick(every) {
		select {
		case l.permits <- struct{}{}:
		default:
		}
	}
}

func (l *limiter) wait() { <-l.permits }

func main() {
	l := &limiter{permits: make(chan struct{}, 5)}
	go l.refill(50 * time.Millisecond)
	alive.Ready()
	for {
		for _, pause := range []time.Duration{40, 90} {
			end := time.Now().Add(3 * time.Second)
			for time.Now().Before(end) {
				go l.wait()
				time.Sleep(pause * time.Millisecond)
			}
		}
	}
}
