// Command waitgroup-extra-add warms its caches at the start and has counted one cache too many: the
// goroutine that would announce the end of the warm-up waits for it. It is the only one that does.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type cache struct {
	name string
	keys int
}

func (c *cache) warm() {
	time.Sleep(20 * time.Millisecond)
	c.keys = 100
}

func warmAll(caches []*cache) {
	var left sync.WaitGroup
	left.Add(len(caches) + 1)
	for _, c := range caches {
		go func(c *cache) {
			defer left.Done()
			c.warm()
		}(c)
	}
	left.Wait() // want: waitgroup suspect pattern=add-done-mismatch
	println("warm")
}

func main() {
	go warmAll([]*cache{{name: "users"}, {name: "prices"}})
	alive.Ready()
	for range time.Tick(time.Second) {
	}
}
