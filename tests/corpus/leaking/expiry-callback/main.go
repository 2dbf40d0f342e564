// Command expiry-callback lets reservations expire with time.AfterFunc. The callback reports to the
// desk, which stopped listening when it closed for the day.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type desk struct {
	expired chan int
	freed   int
}

func (d *desk) serve(customers int) {
	for i := 0; i < customers; i++ {
		<-d.expired
		d.freed++
	}
}

func (d *desk) reserve(seat int) {
	time.AfterFunc(200*time.Millisecond, func() {
		d.expired <- seat // want: channel-send likely pattern=blocked-producer
	})
}

func main() {
	d := &desk{expired: make(chan int)}
	go d.serve(10)
	alive.Ready()
	for seat := 0; ; seat++ {
		d.reserve(seat)
		time.Sleep(300 * time.Millisecond)
	}
}
