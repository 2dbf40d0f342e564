// Command slow-subscriptions ends the followers of a parcel when it is delivered, after a few minutes. A
// minute takes a second here.
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
		select {
		case update := <-p.updates:
			notify(update)
		case <-p.done:
			return
		}
	}
}

// send is what a request does.
func send(number int) {
	p := &parcel{updates: make(chan string), done: make(chan struct{})}
	go p.follow(func(string) {})
	p.updates <- "on its way"
	time.AfterFunc(time.Duration(1+number%7)*time.Second, func() { close(p.done) })
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
