// Command sessions-kept has a map of sessions, each of which ends eight minutes after its login.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type session struct {
	until time.Time
	pages []byte
}

type store struct {
	mu       sync.Mutex
	sessions map[int]*session
}

var users = &store{sessions: map[int]*session{}}

func (s *store) expire() {
	for range time.Tick(time.Second) {
		s.mu.Lock()
		for user, it := range s.sessions {
			if time.Now().After(it.until) {
				delete(s.sessions, user)
			}
		}
		s.mu.Unlock()
	}
}

func main() {
	go users.expire()
	service.Run(func(request int) {
		users.mu.Lock()
		defer users.mu.Unlock()
		users.sessions[request] = &session{time.Now().Add(8 * time.Second), service.Bytes(24 << 10)}
	})
}
