// Command signal-for-all lets the parts of a batch start together. It wakes one of them where it means
// them all; the other nine of each batch sleep on.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type gate struct {
	sync.Mutex
	opened *sync.Cond
	open   bool
	passed int
}

func newGate() *gate {
	g := new(gate)
	g.opened = sync.NewCond(g)
	return g
}

func (g *gate) pass() {
	g.Lock()
	defer g.Unlock()
	for !g.open {
		g.opened.Wait() // want: cond likely pattern=lost-signal
	}
	g.passed++
}

func (g *gate) release() {
	g.Lock()
	defer g.Unlock()
	g.open = true
	g.opened.Signal()
}

func main() {
	alive.Ready()
	for {
		g := newGate()
		for part := 0; part < 10; part++ {
			go g.pass()
		}
		time.Sleep(100 * time.Millisecond)
		g.release()
		time.Sleep(3 * time.Second)
	}
}
