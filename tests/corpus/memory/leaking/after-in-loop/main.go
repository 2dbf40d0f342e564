// Command after-in-loop guards each message with a time.After of an hour. Before Go 1.23 each stays
// until the hour is over; up to Go 1.26 also in a module that, as this one, says go 1.22 or less (asynctimerchan).
package main

import (
	"time"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var messages = make(chan int, 100)

func receive() {
	for {
		select {
		case <-messages:
		case <-time.After(time.Hour): // want: heap-growth likely pattern=linear until=1.27
			return
		}
	}
}

func main() {
	go receive()
	service.Run(func(request int) {
		for i := 0; i < 50; i++ {
			messages <- i
		}
	})
}
