// Command method-value runs printers as method values. A printer that jams is replaced, and the old
// one's goroutine goes on waiting for the start signal of a queue that nobody has any more.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type printer struct {
	name  string
	start chan struct{}
	pages int
}

func (p *printer) run() {
	<-p.start // want: channel-receive likely
	p.pages++
}

type shop struct {
	current *printer
	replace func(run func())
}

func (s *shop) jam() {
	s.current = &printer{name: "next", start: make(chan struct{})}
	s.replace(s.current.run)
}

func main() {
	s := &shop{replace: func(run func()) { go run() }}
	s.jam()
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		s.jam()
	}
}
