// Command pipe-writer-unclosed compresses documents on their way through a pipe and closes the
// writer's end, by which the reader knows that there is no more.
package main

import (
	"compress/gzip"
	"io"
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type archive struct{ stored atomic.Int64 }

func (a *archive) receive(from io.Reader) {
	stored, _ := io.ReadAll(from)
	a.stored.Add(int64(len(stored)))
}

func (a *archive) store(document []byte) error {
	from, to := io.Pipe()
	defer to.Close()
	go a.receive(from)
	packed := gzip.NewWriter(to)
	if _, err := packed.Write(document); err != nil {
		return err
	}
	return packed.Close()
}

func main() {
	a := new(archive)
	alive.Ready()
	for range time.Tick(250 * time.Millisecond) {
		a.store([]byte("a contract, a letter, a map"))
	}
}
