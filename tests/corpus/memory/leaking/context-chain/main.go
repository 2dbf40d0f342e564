// Command context-chain passes each request's values on with the next one's: a context that becomes
// longer and longer, and keeps every value.
package main

import (
	"context"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type key struct{ request int }

type worker struct{ ctx context.Context }

var background = &worker{ctx: context.Background()}

func (w *worker) handle(request int) {
	w.ctx = context.WithValue(w.ctx, key{request}, service.Bytes(20<<10)) // want: heap-growth likely pattern=linear held=main.background
}

func main() { service.Run(background.handle) }
