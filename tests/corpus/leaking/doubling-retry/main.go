// Command doubling-retry sends a notice to those who have not confirmed the last one, and every notice
// counts as two to confirm. Nobody confirms: twice as many every ten seconds, up to 30,000.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type notice struct {
	number    int
	confirmed chan struct{}
}

type notifier struct{ sent int }

func (n *notifier) send() {
	n.sent++
	go n.await(&notice{number: n.sent, confirmed: make(chan struct{})})
}

func (n *notifier) await(sent *notice) {
	<-sent.confirmed // want: channel-receive likely
	println("confirmed", sent.number)
}

func main() {
	n := new(notifier)
	for n.sent < 32 {
		n.send()
	}
	alive.Ready()
	// 7 % each second is a doubling in ten.
	for due := float64(n.sent); ; due *= 1.0072 {
		for n.sent < int(due) && n.sent < 30_000 {
			n.send()
		}
		time.Sleep(100 * time.Millisecond)
	}
}
