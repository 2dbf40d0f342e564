// Command lost-signal lets requests wait until a token has been renewed. It signals before the first
// of them waits and the condition is not looked at again, so the signal goes by.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type token struct {
	mu      sync.Mutex
	renewed *sync.Cond
	uses    int
}

func newToken() *token {
	t := new(token)
	t.renewed = sync.NewCond(&t.mu)
	return t
}

func (t *token) renew() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renewed.Signal()
}

func (t *token) use() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.renewed.Wait() // want: cond likely pattern=lost-signal
	t.uses++
}

func request() {
	t := newToken()
	t.renew()
	t.use()
}

func main() {
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		go request()
	}
}
