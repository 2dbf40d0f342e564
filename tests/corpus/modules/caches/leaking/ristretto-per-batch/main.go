// Command ristretto-per-batch resolves the names of each batch through a cache of its own, and never
// closes it.
package main

import (
	"fmt"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/dgraph-io/ristretto"
)

func resolve(names []string) error {
	cache, err := ristretto.NewCache(&ristretto.Config{NumCounters: 100, MaxCost: 10, BufferItems: 64}) // want: not-closed likely // cause: ristretto.Cache
	if err != nil {
		return err
	}
	for i, name := range names {
		if _, there := cache.Get(name); !there {
			cache.Set(name, i, 1)
		}
	}
	return nil
}

func main() {
	alive.Ready()
	for number := 0; ; number++ {
		if err := resolve([]string{"a", fmt.Sprint(number)}); err != nil {
			panic(err)
		}
		time.Sleep(400 * time.Millisecond)
	}
}
