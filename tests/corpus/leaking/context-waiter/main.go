// Command context-waiter closes a request's temporary files when its context ends. The contexts are
// made by the importer, whose cancel functions pile up in a list that nobody calls. Imports come in
// bursts.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type importer struct {
	cancels []context.CancelFunc
	removed int
}

func (i *importer) begin() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	i.cancels = append(i.cancels, cancel)
	return ctx
}

func (i *importer) cleanUp(ctx context.Context, file string) {
	<-ctx.Done() // want: context-not-cancelled likely pattern=lost-cancel
	i.removed += len(file)
}

func (i *importer) load(file string) {
	ctx := i.begin()
	go i.cleanUp(ctx, file+".tmp")
}

func main() {
	i := new(importer)
	alive.Ready()
	for {
		for n := 0; n < 200; n++ {
			i.load("customers.csv")
		}
		time.Sleep(5 * time.Second)
	}
}
