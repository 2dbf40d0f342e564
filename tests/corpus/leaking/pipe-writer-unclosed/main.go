// Command pipe-writer-unclosed compresses documents on their way through a pipe. The writer's end is
// never closed, so that the reader waits for more.
package main

import (
	"compress/gzip"
	"io"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type archive struct{ sizes chan int }

func (a *archive) receive(from io.Reader) {
	stored, _ := io.ReadAll(from) // want: select likely pattern=missing-close
	a.sizes <- len(stored)
}

func (a *archive) store(document []byte) error {
	from, to := io.Pipe()
	go a.receive(from)
	packed := gzip.NewWriter(to)
	if _, err := packed.Write(document); err != nil {
		return err
	}
	return packed.Close()
}

func main() {
	a := &archive{sizes: make(chan int)}
	alive.Ready()
	for range time.Tick(250 * time.Millisecond) {
		a.store([]byte("a contract, a letter, a map"))
	}
}
