// Command once-recursive loads its country list once. The first requests wait for the one who loads,
// for two seconds; later ones find the list there.
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
	c.once.Do(c.load)
	return c.names[code]
}

func (c *countries) load() {
	time.Sleep(2 * time.Second)
	c.names = map[string]string{"nl": "Netherlands", "": "Netherlands"}
}

func main() {
	c := new(countries)
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		go c.lookup("nl")
	}
}
