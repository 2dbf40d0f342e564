// Command lock-early-return keeps a stock of goods behind a mutex. Taking something that is sold out
// returns without the Unlock, and everything that touches the stock afterwards waits.
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
	s.mu.Lock() // want: mutex likely pattern=lock-on-early-return
	if s.goods[item] == 0 {
		return errSoldOut
	}
	s.goods[item]--
	s.mu.Unlock()
	return nil
}

func main() {
	s := &stock{goods: map[string]int{"lamp": 20}}
	alive.Ready()
	for range time.Tick(100 * time.Millisecond) {
		go s.take("lamp")
	}
}
