// Command singleflight-stuck shares one load of a page among all who ask. A load that lasts ends after a
// second, and with it all who wait for it.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"golang.org/x/sync/singleflight"
)

type pages struct{ loads singleflight.Group }

func (p *pages) get(ctx context.Context, name string) {
	p.loads.Do(name, func() (any, error) { return load(ctx) })
}

func load(ctx context.Context) (any, error) {
	backend := make(chan string)
	select {
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
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			p.get(ctx, "imprint")
		}()
	}
}
