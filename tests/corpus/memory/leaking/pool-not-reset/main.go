// Command pool-not-reset takes encoders from a sync.Pool and puts them back without resetting them: each
// goes on where the one before has ended.
package main

import (
	"bytes"
	"sync"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type encoder struct {
	parts []*bytes.Buffer
}

func (e *encoder) encode(value []byte) {
	e.parts = append(e.parts, bytes.NewBuffer(value)) // want: heap-growth likely pattern=linear held=main.encoders
}

var encoders = sync.Pool{New: func() any { return new(encoder) }}

func main() {
	service.Run(func(int) {
		e := encoders.Get().(*encoder)
		e.encode(service.Bytes(24 << 10))
		encoders.Put(e)
	})
}
