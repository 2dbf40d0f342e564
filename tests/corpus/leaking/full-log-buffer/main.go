// Command full-log-buffer logs through a buffered channel. The writer gave up when the disk was full;
// since the buffer is full too, every request stops at its log line.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type logger struct {
	lines   chan string
	written int
}

func (l *logger) flush() error {
	for range l.lines {
		l.written++
		if l.written == 50 {
			return errors.New("the disk is full")
		}
	}
	return nil
}

func (l *logger) log(line string) {
	l.lines <- line // want: channel-send likely pattern=blocked-producer
}

func handle(l *logger, path string) int {
	l.log("GET " + path)
	return 200
}

func main() {
	l := &logger{lines: make(chan string, 64)}
	go l.flush()
	alive.Ready()
	for n := 0; n < 110; n++ {
		handle(l, "/start")
	}
	for range time.Tick(100 * time.Millisecond) {
		go handle(l, "/")
	}
}
