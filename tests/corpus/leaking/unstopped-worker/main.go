// Command unstopped-worker gives each upload a scanner of its own, with Start and Stop. Uploads that
// are refused return before they call Stop.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type scanner struct {
	chunks chan []byte
	stop   chan struct{}
	seen   int
}

func newScanner() *scanner {
	return &scanner{chunks: make(chan []byte), stop: make(chan struct{})}
}

func (s *scanner) Start() { go s.loop() }

func (s *scanner) Stop() { close(s.stop) }

func (s *scanner) loop() {
	for {
		select { // want: select likely pattern=contract-violation
		case chunk := <-s.chunks:
			s.seen += len(chunk)
		case <-s.stop:
			return
		}
	}
}

func upload(chunks int, limit int) bool {
	s := newScanner()
	s.Start()
	for i := 0; i < chunks; i++ {
		if i >= limit {
			return false
		}
		s.chunks <- make([]byte, 512)
	}
	s.Stop()
	return true
}

func main() {
	alive.Ready()
	for n := 0; ; n++ {
		upload(2+n%3, 3)
		time.Sleep(150 * time.Millisecond)
	}
}
