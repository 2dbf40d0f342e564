// Command read-lock-lost looks up routes under a read lock. A lookup that fails returns without the
// RUnlock; the next one who adds a route waits for it, and every lookup behind that one.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type routes struct {
	mu    sync.RWMutex
	paths map[string]int
}

func (r *routes) find(path string) (int, bool) {
	r.mu.RLock() // want: rwmutex likely
	backend, known := r.paths[path]
	if !known {
		return 0, false
	}
	r.mu.RUnlock()
	return backend, true
}

func (r *routes) add(path string, backend int) {
	r.mu.Lock() // want: rwmutex likely pattern=lock-on-early-return
	defer r.mu.Unlock()
	r.paths[path] = backend
}

func main() {
	r := &routes{paths: map[string]int{"/": 1}}
	r.find("/favicon.ico")
	alive.Ready()
	for n := 0; ; n++ {
		go r.find("/")
		if n%10 == 0 {
			go r.add("/new", n)
		}
		time.Sleep(100 * time.Millisecond)
	}
}
