// Command sessions-kept has a map of sessions. Those that log out are deleted; two of three never do.
package main

import (
	"strconv"
	"sync"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type session struct {
	user   string
	basket map[string]int
	pages  [][]byte
}

type store struct {
	mu       sync.Mutex
	sessions map[string]*session
}

var users = &store{sessions: map[string]*session{}}

func (s *store) login(user string) {
	it := &session{user: user, basket: map[string]int{"apples": 3}}
	for i := 0; i < 4; i++ {
		it.pages = append(it.pages, service.Bytes(6<<10))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions[user] = it // want: heap-growth likely pattern=linear held=main.users
}

func (s *store) logout(user string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, user)
}

func main() {
	service.Run(func(request int) {
		user := "user-" + strconv.Itoa(request)
		users.login(user)
		if request%3 == 0 {
			users.logout(user)
		}
	})
}
