// Command back-pressure resizes pictures in three stages with short queues. The last stage is the
// slowest, so that the ones before it wait to send most of the time, and always get on.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type picture struct{ width, height int }

func read(out chan<- picture) {
	for n := 0; ; n++ {
		out <- picture{width: 4000 + n%100, height: 3000}
	}
}

func shrink(in <-chan picture, out chan<- picture) {
	for p := range in {
		time.Sleep(2 * time.Millisecond)
		out <- picture{width: p.width / 4, height: p.height / 4}
	}
}

func store(in <-chan picture) {
	for range in {
		time.Sleep(60 * time.Millisecond)
	}
}

func main() {
	raw, small := make(chan picture, 4), make(chan picture, 2)
	go read(raw)
	for i := 0; i < 6; i++ {
		go shrink(raw, small)
	}
	go store(small)
	alive.Ready()
	select {}
}
