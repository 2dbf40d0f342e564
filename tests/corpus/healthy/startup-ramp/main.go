// Command startup-ramp opens its 200 partitions one by one, ten a second, and then serves them. It has
// as many goroutines after 20 seconds as it will ever have.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type partition struct {
	number int
	writes chan string
	stored int
}

func (p *partition) serve() {
	for range p.writes {
		p.stored++
	}
}

func main() {
	alive.Ready()
	var partitions []*partition
	for tick := 0; ; tick++ {
		if len(partitions) < 200 {
			p := &partition{number: tick, writes: make(chan string, 1)}
			partitions = append(partitions, p)
			go p.serve()
		}
		partitions[tick%len(partitions)].writes <- "row"
		time.Sleep(100 * time.Millisecond)
	}
}
