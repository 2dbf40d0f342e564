// Command finalizer-cycle has documents and views that refer to each other, and a finalizer on the
// document to release it. An object with a finalizer on a cycle is never freed.
package main

import (
	"runtime"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type document struct {
	text []byte
	view *view
}

type view struct{ of *document }

func (d *document) release() { d.text = nil }

func open() *document {
	d := &document{text: service.Bytes(20 << 10)}
	d.view = &view{of: d}
	runtime.SetFinalizer(d, (*document).release) // want: finalizer-cycle likely pattern=linear
	return d
}

func main() {
	service.Run(func(int) { _ = open().text[0] })
}
