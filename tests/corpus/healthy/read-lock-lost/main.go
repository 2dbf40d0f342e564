// Command read-lock-lost looks up routes under a read lock that every path gives back.
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
	r.mu.RLock()
	defer r.mu.RUnlock()
	backend, known := r.paths[path]
	return backend, known
}

func (r *routes) add(path string, backend int) {
	r.mu.Lock()
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
