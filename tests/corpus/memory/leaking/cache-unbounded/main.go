// Command cache-unbounded caches rendered pages by the whole query, which is seldom the same twice.
package main

import (
	"fmt"
	"sync"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type cache struct {
	mu    sync.RWMutex
	pages map[string][]byte
}

var rendered = cache{pages: make(map[string][]byte)}

func (c *cache) page(query string) []byte {
	c.mu.RLock()
	page, ok := c.pages[query]
	c.mu.RUnlock()
	if ok {
		return page
	}
	page = service.Bytes(24 << 10)
	c.mu.Lock()
	c.pages[query] = page // want: heap-growth likely pattern=linear held=main.rendered
	c.mu.Unlock()
	return page
}

func main() {
	service.Run(func(request int) {
		if request%5 == 0 {
			rendered.page("/?lang=en")
		}
		rendered.page(fmt.Sprintf("/?lang=en&visit=%d", request))
	})
}
