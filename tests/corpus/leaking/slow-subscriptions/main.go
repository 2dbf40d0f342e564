// Command slow-subscriptions leaks three goroutines a minute: followers of a parcel that was delivered
// long ago, each with a channel of its own that nobody closes. A minute takes a second here.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/pace"
)

type parcel struct {
	updates chan string
	done    chan struct{}
}

func (p *parcel) follow(notify func(string)) {
	for {
		select { // want: select likely
		case update := <-p.updates:
			notify(update)
		case <-p.done:
			return
		}
	}
}

// One sample, after its half hour, shows it.
// check: likely

// send is what a request does.
func send(number int) {
	p := &parcel{updates: make(chan string), done: make(chan struct{})}
	go p.follow(func(string) {})
	p.updates <- "on its way"
	// Delivered: nobody keeps the parcel.
}

func main() {
	alive.Ready()
	number := 0
	for range pace.Minutes() {
		for i := 0; i < 3; i++ {
			number++
			go send(number)
			time.Sleep(200 * time.Millisecond)
		}
	}
}
