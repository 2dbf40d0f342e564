// Command context-waiter closes a request's temporary files when its context ends, which is when the
// import does. Imports come in bursts.
package main

import (
	"context"
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type importer struct{ removed atomic.Int64 }

func (i *importer) cleanUp(ctx context.Context, file string) {
	<-ctx.Done()
	i.removed.Add(int64(len(file)))
}

func (i *importer) load(file string) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go i.cleanUp(ctx, file+".tmp")
	time.Sleep(100 * time.Millisecond)
}

func main() {
	i := new(importer)
	alive.Ready()
	for {
		for n := 0; n < 200; n++ {
			go i.load("customers.csv")
		}
		time.Sleep(5 * time.Second)
	}
}
