// Command long-batch encodes films in batches of eight that take 25 seconds each; the one who ordered
// the batch waits for all of them.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type film struct{ minutes int }

func (f film) encode() {
	for i := 0; i < f.minutes; i++ {
		time.Sleep(250 * time.Millisecond)
	}
}

func batch(films []film) {
	var left sync.WaitGroup
	for _, f := range films {
		left.Add(1)
		go func(f film) {
			defer left.Done()
			f.encode()
		}(f)
	}
	left.Wait()
}

func main() {
	films := []film{{80}, {85}, {90}, {92}, {95}, {98}, {99}, {100}}
	alive.Ready()
	for {
		batch(films)
		time.Sleep(2 * time.Second)
	}
}
