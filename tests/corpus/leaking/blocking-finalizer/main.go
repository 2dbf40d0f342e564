// Command blocking-finalizer gives buffers back to a pool when the collector finds them unused. The
// pool is full, so the finalizer waits for room, and with it every other finalizer of the process.
package main

import (
	"runtime"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type buffer struct {
	bytes []byte
	home  chan<- *buffer
}

type pool struct{ free chan *buffer }

func (p *pool) get() *buffer {
	b := &buffer{bytes: make([]byte, 4096), home: p.free}
	runtime.SetFinalizer(b, (*buffer).giveBack)
	return b
}

func (b *buffer) giveBack() {
	b.home <- b // want: runtime-internal suspect pattern=blocked-finalizer
}

func main() {
	p := &pool{free: make(chan *buffer, 4)}
	for n := 0; n < 100; n++ {
		copy(p.get().bytes, "page")
	}
	runtime.GC()
	runtime.GC()
	alive.Ready()
	for range time.Tick(time.Second) {
		copy(p.get().bytes, "page")
	}
}
