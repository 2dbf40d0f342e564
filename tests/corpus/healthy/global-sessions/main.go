// Command global-sessions keeps its players' sessions in a global map. Logging out closes a session and
// takes it out.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type session struct {
	player int
	closed chan struct{}
}

var sessions = struct {
	sync.Mutex
	byPlayer map[int]*session
	served   int
}{byPlayer: make(map[int]*session)}

func login(player int) {
	s := &session{player: player, closed: make(chan struct{})}
	sessions.Lock()
	sessions.byPlayer[player] = s
	sessions.Unlock()
	go s.serve()
}

func logout(player int) {
	sessions.Lock()
	defer sessions.Unlock()
	if s, known := sessions.byPlayer[player]; known {
		close(s.closed)
		delete(sessions.byPlayer, player)
	}
}

func (s *session) serve() {
	<-s.closed
	sessions.Lock()
	defer sessions.Unlock()
	sessions.served++
}

func main() {
	alive.Ready()
	for player := 0; ; player++ {
		login(player)
		logout(player - 40)
		time.Sleep(100 * time.Millisecond)
	}
}
