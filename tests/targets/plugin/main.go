// Command plugin is a plugin: target `plugged` loads it. Its goroutines pile up at a send that nobody
// receives, ten a second.
package main

import "time"

// Start has it leak.
func Start() {
	go func() {
		for {
			go publish(make(chan int))
			time.Sleep(100 * time.Millisecond)
		}
	}()
}

func publish(events chan int) {
	events <- 1
}

func main() {}
