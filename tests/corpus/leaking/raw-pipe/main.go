// Command raw-pipe talks to a label printer's driver over pipes, past Go's poller: a read takes a
// thread along. The driver died, yet the write ends are still open. One more every two seconds.
package main

import (
	"syscall"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type printer struct{ from, to int }

func open() (*printer, error) {
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		return nil, err
	}
	return &printer{from: ends[0], to: ends[1]}, nil
}

func (p *printer) status() (string, error) {
	var line [80]byte
	n, err := syscall.Read(p.from, line[:]) // want: syscall-or-cgo likely
	return string(line[:n]), err
}

func main() {
	alive.Ready()
	for range time.Tick(2 * time.Second) {
		if p, err := open(); err == nil {
			go p.status()
		}
	}
}
