// Command finalizer-cycle has documents with finalizers that refer to nothing that refers to them.
package main

import (
	"runtime"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type text struct{ bytes []byte }

type document struct{ text *text }

func main() {
	service.Run(func(int) {
		d := &document{text: &text{service.Bytes(20 << 10)}}
		runtime.SetFinalizer(d, func(d *document) { d.text = nil })
	})
}
