// Command janitor-per-visitor keeps a cache for each of ten visitors, who come again and again.
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
		cart = cache.New(time.Hour, time.Minute)
		s.carts[visitor] = cart
	}
	return cart
}

func main() {
	s := &shop{map[int]*cache.Cache{}}
	alive.Ready()
	for visit := 0; ; visit++ {
		s.cart(visit%10).SetDefault("article", visit)
		time.Sleep(250 * time.Millisecond)
	}
}
