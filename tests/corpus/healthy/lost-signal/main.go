// Command lost-signal lets requests wait until a token has been renewed, and looks before it waits.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type token struct {
	mu      sync.Mutex
	renewed *sync.Cond
	fresh   bool
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
	t.fresh = true
	t.renewed.Broadcast()
}

func (t *token) use() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.fresh {
		t.renewed.Wait()
	}
	t.uses++
}

func request() {
	t := newToken()
	time.AfterFunc(30*time.Millisecond, t.renew)
	t.use()
}

func main() {
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		go request()
	}
}
