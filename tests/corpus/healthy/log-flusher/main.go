// Command log-flusher writes log lines from a queue and flushes every five seconds, and a rotator
// waits for the file to become too large, which it does not.
package main

import (
	"bufio"
	"io"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type logger struct {
	mu     sync.Mutex
	out    *bufio.Writer
	lines  chan string
	rotate chan struct{}
	size   int
}

func (l *logger) write() {
	for line := range l.lines {
		l.mu.Lock()
		n, _ := l.out.WriteString(line)
		l.size += n
		l.mu.Unlock()
	}
}

func (l *logger) flushDaemon() {
	for range time.NewTicker(5 * time.Second).C {
		l.mu.Lock()
		l.out.Flush()
		l.mu.Unlock()
	}
}

func (l *logger) rotateDaemon() {
	for range l.rotate {
		l.mu.Lock()
		l.size = 0
		l.mu.Unlock()
	}
}

func main() {
	l := &logger{out: bufio.NewWriter(io.Discard), lines: make(chan string, 256), rotate: make(chan struct{})}
	go l.write()
	go l.flushDaemon()
	go l.rotateDaemon()
	alive.Ready()
	for range time.Tick(20 * time.Millisecond) {
		l.lines <- "GET / 200\n"
	}
}
