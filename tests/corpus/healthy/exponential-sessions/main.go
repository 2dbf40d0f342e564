// Command exponential-sessions has four sessions a minute that last for six minutes on average, most of
// them shorter and a few much longer. A minute takes a second here.
package main

import (
	"math/rand"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/pace"
)

type session struct {
	messages chan string
	over     chan struct{}
}

func (s *session) serve() {
	for {
		select {
		case <-s.messages:
		case <-s.over:
			return
		}
	}
}

func open() {
	s := &session{make(chan string), make(chan struct{})}
	go s.serve()
	lasts := time.Duration(rand.ExpFloat64() * float64(6*time.Second))
	time.AfterFunc(lasts, func() { close(s.over) })
}

func main() {
	// As many as there are on average, so that it starts in the middle of its day.
	for i := 0; i < 24; i++ {
		open()
	}
	alive.Ready()
	for range pace.Minutes() {
		for i := 0; i < 4; i++ {
			time.Sleep(time.Duration(rand.Int63n(int64(250 * time.Millisecond))))
			open()
		}
	}
}
