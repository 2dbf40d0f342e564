// Command tick-in-loop polls a parcel's position and makes a new ticker for each look. The poll never
// asks whether the parcel has arrived.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type parcel struct {
	number   int
	position int
}

func (p *parcel) follow() {
	for {
		<-time.Tick(3 * time.Second) // want: timer likely pattern=ticker-not-stopped
		p.position++
	}
}

func main() {
	alive.Ready()
	for number := 0; ; number++ {
		p := &parcel{number: number}
		go p.follow()
		time.Sleep(500 * time.Millisecond)
	}
}
