// Command oscillating-load gets visitors like a tide: the number of requests in flight rises and falls
// between 0 and 200 with a period of twelve seconds.
package main

import (
	"math"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func visit(gone <-chan struct{}) { <-gone }

func main() {
	started := time.Now()
	alive.Ready()
	var visitors []chan struct{}
	for range time.Tick(100 * time.Millisecond) {
		phase := 2 * math.Pi * time.Since(started).Seconds() / 12
		want := int(100 - 100*math.Cos(phase))
		for len(visitors) < want {
			gone := make(chan struct{})
			visitors = append(visitors, gone)
			go visit(gone)
		}
		for len(visitors) > want {
			close(visitors[0])
			visitors = visitors[1:]
		}
	}
}
