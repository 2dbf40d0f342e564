// Command single-flight loads each page once, however many ask for it at the same time. The others
// wait for the one who loads.
package main

import (
	"strconv"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type flight struct {
	landed sync.WaitGroup
	page   string
}

type loader struct {
	mu      sync.Mutex
	flights map[string]*flight
}

func (l *loader) load(name string) string {
	l.mu.Lock()
	if f, flies := l.flights[name]; flies {
		l.mu.Unlock()
		f.landed.Wait()
		return f.page
	}
	f := new(flight)
	f.landed.Add(1)
	l.flights[name] = f
	l.mu.Unlock()

	time.Sleep(600 * time.Millisecond)
	f.page = "<h1>" + name + "</h1>"
	l.mu.Lock()
	delete(l.flights, name)
	l.mu.Unlock()
	f.landed.Done()
	return f.page
}

func main() {
	l := &loader{flights: make(map[string]*flight)}
	alive.Ready()
	for n := 0; ; n++ {
		go l.load("page-" + strconv.Itoa(n%3))
		time.Sleep(20 * time.Millisecond)
	}
}
