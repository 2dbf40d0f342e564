// Command cache-unbounded caches rendered pages, at most 500 of them: the one used longest ago goes.
package main

import (
	"container/list"
	"fmt"

	"example.org/leak-agent/corpus/memory/internal/service"
)

const bound = 500

type page struct {
	query string
	text  []byte
}

type cache struct {
	pages map[string]*list.Element
	order *list.List
}

var rendered = cache{map[string]*list.Element{}, list.New()}

func (c *cache) page(query string) []byte {
	if known, ok := c.pages[query]; ok {
		c.order.MoveToFront(known)
		return known.Value.(*page).text
	}
	it := &page{query, service.Bytes(16 << 10)}
	c.pages[query] = c.order.PushFront(it)
	if c.order.Len() > bound {
		oldest := c.order.Remove(c.order.Back()).(*page)
		delete(c.pages, oldest.query)
	}
	return it.text
}

func main() {
	service.Run(func(request int) { rendered.page(fmt.Sprintf("/?visit=%d", request)) })
}
