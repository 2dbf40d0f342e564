// Command burst-imports gets a file every four seconds and starts 500 goroutines for its lines, which
// all end within a second.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type importer struct {
	mu    sync.Mutex
	total int
}

func (i *importer) line(number int) {
	time.Sleep(time.Duration(number) * 2 * time.Millisecond)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.total += number
}

func (i *importer) file() {
	var left sync.WaitGroup
	for number := 0; number < 500; number++ {
		left.Add(1)
		go func(number int) {
			defer left.Done()
			i.line(number)
		}(number)
	}
	left.Wait()
}

func main() {
	i := new(importer)
	alive.Ready()
	for range time.Tick(4 * time.Second) {
		i.file()
	}
}
