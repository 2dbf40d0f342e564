// Command replay-acks replayed 20,000 stored events at its start, each of which waits for its
// acknowledgement. The other side acknowledges nothing. New events trickle in, one a second.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type event struct {
	number int
	acked  chan bool
}

type outbox struct{ pending map[int]*event }

func (o *outbox) publish(number int) {
	e := &event{number: number, acked: make(chan bool)}
	o.pending[number] = e
	go e.await()
}

func (e *event) await() {
	if <-e.acked { // want: channel-receive likely
		println("event", e.number, "arrived")
	}
}

func main() {
	o := &outbox{pending: make(map[int]*event)}
	for number := 0; number < 20_000; number++ {
		o.publish(number)
	}
	alive.Ready()
	for number := 20_000; ; number++ {
		o.publish(number)
		time.Sleep(time.Second)
	}
}
