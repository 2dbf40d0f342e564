// Command pool-not-reset takes encoders from a sync.Pool and resets them before it puts them back.
package main

import (
	"bytes"
	"sync"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var encoders = sync.Pool{New: func() any { return new(bytes.Buffer) }}

func main() {
	service.Run(func(int) {
		e := encoders.Get().(*bytes.Buffer)
		e.Write(service.Bytes(24 << 10))
		e.Reset()
		encoders.Put(e)
	})
}
