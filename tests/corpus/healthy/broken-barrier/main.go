// Command broken-barrier lets the players of a match start when all four are there, or when the match
// is called off two seconds after the first came.
package main

import (
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type match struct {
	missing atomic.Int32
	full    chan struct{}
	off     chan struct{}
	started atomic.Int32
}

func (m *match) join() {
	if m.missing.Add(-1) == 0 {
		close(m.full)
	}
	select {
	case <-m.full:
		m.started.Add(1)
	case <-m.off:
	}
}

func main() {
	alive.Ready()
	for number := 0; ; number++ {
		m := &match{full: make(chan struct{}), off: make(chan struct{})}
		m.missing.Store(4)
		time.AfterFunc(2*time.Second, func() { close(m.off) })
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
