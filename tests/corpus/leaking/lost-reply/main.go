// Command lost-reply sends commands to a device over one line and keeps a channel for each reply. One
// reply in twenty is garbled and thrown away, with the request that waits for it.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type line struct {
	mu      sync.Mutex
	next    int
	pending map[int]chan string
}

func (l *line) call(command string) string {
	l.mu.Lock()
	l.next++
	id, reply := l.next, make(chan string)
	l.pending[id] = reply
	l.mu.Unlock()
	go l.deliver(id, command+": done")
	return <-reply // want: channel-receive likely
}

// deliver is what the line's reader does with a reply.
func (l *line) deliver(id int, text string) {
	time.Sleep(time.Millisecond)
	if id%20 == 0 {
		return
	}
	l.mu.Lock()
	reply := l.pending[id]
	delete(l.pending, id)
	l.mu.Unlock()
	reply <- text
}

func main() {
	l := &line{pending: make(map[int]chan string)}
	alive.Ready()
	for range time.Tick(20 * time.Millisecond) {
		go l.call("open valve")
	}
}
