// Command breathing-cache refreshes its entries in the background, a goroutine each. For 15 seconds it
// grows by 20 a second, then it evicts them again, and so on.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type entry struct {
	key     int
	evicted chan struct{}
}

func (e *entry) keepFresh() {
	ticker := time.NewTicker(5 * time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-e.evicted:
			return
		}
	}
}

func main() {
	alive.Ready()
	var entries []*entry
	for {
		for len(entries) < 300 {
			e := &entry{key: len(entries), evicted: make(chan struct{})}
			entries = append(entries, e)
			go e.keepFresh()
			time.Sleep(50 * time.Millisecond)
		}
		for len(entries) > 0 {
			last := len(entries) - 1
			close(entries[last].evicted)
			entries = entries[:last]
			time.Sleep(50 * time.Millisecond)
		}
	}
}
