// Command slow-consumer reads a queue that fills in bursts. Between bursts it catches up; within them
// those who send wait for several seconds.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type queue struct {
	letters chan string
	sorted  int
}

func (q *queue) post(letter string) { q.letters <- letter }

func (q *queue) sort() {
	for range q.letters {
		time.Sleep(50 * time.Millisecond)
		q.sorted++
	}
}

func main() {
	q := &queue{letters: make(chan string, 10)}
	go q.sort()
	alive.Ready()
	for {
		for n := 0; n < 120; n++ {
			go q.post("postcard")
		}
		time.Sleep(9 * time.Second)
	}
}
