// Command singleflight-stuck shares one load of a page among all who ask. The first load of a page that the
// backend does not know never ends, and all others wait for it.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"golang.org/x/sync/singleflight"
)

type pages struct{ loads singleflight.Group }

func (p *pages) get(ctx context.Context, name string) {
	p.loads.Do(name, func() (any, error) { return load(ctx) }) // want: waitgroup likely
}

func load(ctx context.Context) (any, error) {
	backend := make(chan string)
	select { // may: select suspect
	case page := <-backend:
		return page, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func main() {
	p := &pages{}
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		// A request's context that nobody ends.
		ctx, _ := context.WithCancel(context.Background())
		go p.get(ctx, "imprint")
	}
}
