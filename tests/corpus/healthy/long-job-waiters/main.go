// Command long-job-waiters rebuilds an index for 40 seconds. A hundred searches wait for it to be
// there, and get their answers all at once; then the next rebuild begins.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type index struct {
	ready chan struct{}
	words int
}

func (i *index) rebuild() {
	for part := 0; part < 400; part++ {
		time.Sleep(100 * time.Millisecond)
		i.words += 50
	}
	close(i.ready)
}

func (i *index) search() int {
	<-i.ready
	return i.words
}

func main() {
	alive.Ready()
	for {
		i := &index{ready: make(chan struct{})}
		go i.rebuild()
		var left sync.WaitGroup
		for n := 0; n < 100; n++ {
			left.Add(1)
			go func() {
				defer left.Done()
				i.search()
			}()
		}
		left.Wait()
	}
}
