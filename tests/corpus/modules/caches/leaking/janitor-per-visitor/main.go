// Command janitor-per-visitor keeps a cache for each visitor in a map from which nobody is ever removed.
// Each has a janitor, which would end with its cache.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/patrickmn/go-cache"
)

type shop struct{ carts map[int]*cache.Cache }

func (s *shop) cart(visitor int) *cache.Cache {
	cart, there := s.carts[visitor]
	if !there {
		cart = cache.New(time.Hour, time.Minute) // want: not-closed likely // cause: cache.Cache
		s.carts[visitor] = cart
	}
	return cart
}

func main() {
	s := &shop{map[int]*cache.Cache{}}
	alive.Ready()
	for visit := 0; ; visit++ {
		s.cart(visit).SetDefault("article", visit)
		time.Sleep(250 * time.Millisecond)
	}
}
