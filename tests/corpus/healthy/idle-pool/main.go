// Command idle-pool has 32 workers on one queue. A job comes now and then; most workers have waited
// since the start, which is what they are for.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type job struct{ document int }

type pool struct{ jobs chan job }

func (p *pool) work() {
	for j := range p.jobs {
		time.Sleep(time.Duration(j.document%5) * time.Millisecond)
	}
}

func main() {
	p := &pool{jobs: make(chan job)}
	for i := 0; i < 32; i++ {
		go p.work()
	}
	alive.Ready()
	for document := 0; ; document++ {
		p.jobs <- job{document: document}
		time.Sleep(3 * time.Second)
	}
}
