// Command semaphore-downloads lets four of forty regular downloads run at a time. At any moment most
// wait for a place, and each gets one within ten seconds.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type places chan struct{}

func (p places) acquire() { p <- struct{}{} }

func (p places) release() { <-p }

func mirror(p places) {
	for {
		p.acquire()
		time.Sleep(700 * time.Millisecond)
		p.release()
	}
}

func main() {
	p := make(places, 4)
	for repository := 0; repository < 40; repository++ {
		go mirror(p)
	}
	alive.Ready()
	select {}
}
