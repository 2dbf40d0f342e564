// Command signal-loop reads its configuration again on SIGHUP and its log level on SIGUSR1. Neither
// comes; the loop that waits for them lives as long as the program.
package main

import (
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type server struct{ reloads, levels, requests atomic.Int64 }

func (s *server) listen() {
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGHUP, syscall.SIGUSR1)
	for received := range signals {
		switch received {
		case syscall.SIGHUP:
			s.reloads.Add(1)
		case syscall.SIGUSR1:
			s.levels.Add(1)
		}
	}
}

func main() {
	s := new(server)
	go s.listen()
	alive.Ready()
	for range time.Tick(50 * time.Millisecond) {
		go s.requests.Add(1)
	}
}
