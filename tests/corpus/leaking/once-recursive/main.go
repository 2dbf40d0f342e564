// Command once-recursive loads its country list once. Loading it asks for the default country, which
// loads the list once, within itself. Every request waits behind that.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type countries struct {
	once  sync.Once
	names map[string]string
}

func (c *countries) lookup(code string) string {
	c.once.Do(c.load) // want: mutex likely
	return c.names[code]
}

func (c *countries) load() {
	c.names = map[string]string{"nl": "Netherlands", "": c.fallback()}
}

func (c *countries) fallback() string {
	c.once.Do(c.load) // want: deadlock-cycle likely pattern=self-deadlock
	return c.names["nl"]
}

func main() {
	c := new(countries)
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		go c.lookup("nl")
	}
}
