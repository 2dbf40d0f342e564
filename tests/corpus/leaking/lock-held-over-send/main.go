// Command lock-held-over-send publishes stock movements while it holds the warehouse's lock. The one
// who receives them wants that lock first. The two wait for each other, the rest for the lock.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type warehouse struct {
	mu        sync.Mutex
	shelves   map[string]int
	movements chan string
	display   int
}

func (w *warehouse) store(item string) {
	w.mu.Lock() // want: mutex likely
	defer w.mu.Unlock()
	w.shelves[item]++
	w.movements <- item // want: channel-send suspect
}

func (w *warehouse) refreshDisplay() {
	for {
		w.mu.Lock() // want: mutex suspect
		w.display = len(w.shelves)
		w.mu.Unlock()
		<-w.movements
		time.Sleep(20 * time.Millisecond)
	}
}

func main() {
	w := &warehouse{shelves: make(map[string]int), movements: make(chan string)}
	go w.refreshDisplay()
	alive.Ready()
	for range time.Tick(100 * time.Millisecond) {
		go w.store("pallet")
		go w.store("box")
	}
}
