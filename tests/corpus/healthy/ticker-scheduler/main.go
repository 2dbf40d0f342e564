// Command ticker-scheduler runs jobs on tickers, from four times a second to once an hour.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type job struct {
	name  string
	every time.Duration
	runs  int
}

func (j *job) schedule(ctx context.Context) {
	ticker := time.NewTicker(j.every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			j.runs++
		case <-ctx.Done():
			return
		}
	}
}

func main() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	jobs := []*job{
		{name: "gauges", every: 250 * time.Millisecond}, {name: "leases", every: 5 * time.Second},
		{name: "sessions", every: time.Minute}, {name: "reports", every: time.Hour},
	}
	for _, j := range jobs {
		go j.schedule(ctx)
	}
	alive.Ready()
	select {}
}
