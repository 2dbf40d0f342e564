// Command log-never-flushed writes its log into a buffer whose flush waits for a size that is compared
// with the wrong figure, and so never comes.
package main

import (
	"bytes"
	"log"
	"os"

	"example.org/leak-agent/corpus/memory/internal/service"
)

const bound = 64 << 10

type journal struct {
	lines   []*bytes.Buffer
	flushed int
}

var buffered journal

func (j *journal) Write(line []byte) (int, error) {
	if j.flushed > bound {
		os.Stderr.Write(line)
		j.lines, j.flushed = nil, 0
	}
	j.lines = append(j.lines, bytes.NewBufferString(string(line))) // want: heap-growth likely pattern=linear held=main.buffered
	return len(line), nil
}

func main() {
	logger := log.New(&buffered, "orders ", log.LstdFlags)
	service.Run(func(request int) {
		for i := 0; i < 40; i++ {
			logger.Printf("request %d: %s", request, service.Bytes(256))
		}
	})
}
