// Command broken-barrier lets the players of a match start when all four are there. One in every third
// match never comes; those who did wait at the start line.
package main

import (
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type match struct {
	missing atomic.Int32
	full    chan struct{}
	started atomic.Int32
}

func (m *match) join() {
	if m.missing.Add(-1) == 0 {
		close(m.full)
	}
	<-m.full // want: channel-receive likely pattern=missing-close
	m.started.Add(1)
}

func main() {
	alive.Ready()
	for number := 0; ; number++ {
		m := &match{full: make(chan struct{})}
		m.missing.Store(4)
		come := 4
		if number%3 == 2 {
			come = 3
		}
		for player := 0; player < come; player++ {
			go m.join()
		}
		time.Sleep(300 * time.Millisecond)
	}
}
