// Command cache-at-bound keeps a goroutine a key that refreshes its value, for the 100 keys asked for
// last: for each new one the oldest ends. A minute takes a second here.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/pace"
)

const bound = 100

type entry struct {
	refresh, evicted chan struct{}
}

func (e *entry) keep() {
	for {
		select {
		case <-e.refresh:
		case <-e.evicted:
			return
		}
	}
}

type cache struct{ entries []*entry }

func (c *cache) add() {
	e := &entry{make(chan struct{}), make(chan struct{})}
	go e.keep()
	c.entries = append(c.entries, e)
	if len(c.entries) > bound {
		close(c.entries[0].evicted)
		c.entries = c.entries[1:]
	}
}

func main() {
	var c cache
	for i := 0; i < bound; i++ {
		c.add()
	}
	alive.Ready()
	for range pace.Minutes() {
		for i := 0; i < 5; i++ {
			c.add()
			time.Sleep(150 * time.Millisecond)
		}
	}
}
