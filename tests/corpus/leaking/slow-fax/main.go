// Command slow-fax sends a fax every five seconds. Its confirmation would come over a channel which is
// passed by value of a struct that was replaced: it comes to nobody.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type fax struct {
	number    string
	confirmed chan error
}

func (f fax) await(log func(error)) {
	log(<-f.confirmed) // want: channel-receive likely
}

func (f fax) confirm() {
	select {
	case f.confirmed <- nil:
	default:
	}
}

func send(number string) {
	f := fax{number: number, confirmed: make(chan error)}
	go f.await(func(error) {})
	f = fax{number: number, confirmed: make(chan error)}
	time.AfterFunc(100*time.Millisecond, f.confirm)
}

func main() {
	alive.Ready()
	for {
		send("555-0100")
		time.Sleep(5 * time.Second)
	}
}
