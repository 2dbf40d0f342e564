// Command lost-reply sends commands to a device over one line and keeps a channel for each reply. A
// request waits a second for its reply and then takes its channel back.
package main

import (
	"errors"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type line struct {
	mu      sync.Mutex
	next    int
	pending map[int]chan string
}

func (l *line) call(command string) (string, error) {
	l.mu.Lock()
	l.next++
	id, reply := l.next, make(chan string, 1)
	l.pending[id] = reply
	l.mu.Unlock()
	go l.deliver(id, command+": done")
	select {
	case text := <-reply:
		return text, nil
	case <-time.After(time.Second):
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.pending, id)
		return "", errors.New("no reply")
	}
}

// deliver is what the line's reader does with a reply.
func (l *line) deliver(id int, text string) {
	time.Sleep(time.Millisecond)
	if id%20 == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if reply, waits := l.pending[id]; waits {
		delete(l.pending, id)
		reply <- text
	}
}

func main() {
	l := &line{pending: make(map[int]chan string)}
	alive.Ready()
	for range time.Tick(20 * time.Millisecond) {
		go l.call("open valve")
	}
}
