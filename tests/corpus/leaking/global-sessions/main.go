// Command global-sessions keeps its players' sessions in a global map. Logging out marks a session but
// neither closes it nor takes it out: its goroutine waits, and the map holds what it waits on.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type session struct {
	player int
	closed chan struct{}
	gone   bool
}

var sessions = struct {
	sync.Mutex
	byPlayer map[int]*session
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
		s.gone = true
	}
}

func (s *session) serve() {
	<-s.closed // want: channel-receive likely pattern=missing-close
	println("player", s.player, "left")
}

func main() {
	alive.Ready()
	for player := 0; ; player++ {
		login(player)
		logout(player - 5)
		time.Sleep(100 * time.Millisecond)
	}
}
