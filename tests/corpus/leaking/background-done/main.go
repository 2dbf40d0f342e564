// Command background-done starts an invalidation watch for each cache entry. The context handed to it
// is the background one, whose Done is a nil channel: no watch can ever end.
package main

import (
	"context"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type cache struct {
	mu      sync.Mutex
	entries map[int]string
}

func (c *cache) put(ctx context.Context, key int, value string) {
	c.mu.Lock()
	c.entries[key] = value
	c.mu.Unlock()
	go c.invalidate(ctx, key)
}

func (c *cache) invalidate(ctx context.Context, key int) {
	<-ctx.Done() // want: channel-nil likely pattern=nil-channel
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, key)
}

func main() {
	c := &cache{entries: make(map[int]string)}
	alive.Ready()
	for key := 0; ; key++ {
		c.put(context.Background(), key, "value")
		time.Sleep(250 * time.Millisecond)
	}
}
