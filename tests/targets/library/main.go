// Command library is a shared library for programs in other languages, of which two are in hosts. Its
// goroutines pile up at a send that nobody receives, ten a second.
package main

import "C"

import "time"

// StartWork has it leak.
//
//export StartWork
func StartWork() {
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
