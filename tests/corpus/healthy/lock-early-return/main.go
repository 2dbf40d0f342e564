// Command lock-early-return keeps a stock of goods behind a mutex that is unlocked on every path.
package main

import (
	"errors"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

var errSoldOut = errors.New("sold out")

type stock struct {
	mu    sync.Mutex
	goods map[string]int
}

func (s *stock) take(item string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.goods[item] == 0 {
		return errSoldOut
	}
	s.goods[item]--
	return nil
}

func main() {
	s := &stock{goods: map[string]int{"lamp": 20}}
	alive.Ready()
	for range time.Tick(100 * time.Millisecond) {
		go s.take("lamp")
	}
}
