//go:build go1.25

//go:debug asynctimerchan=0
package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// startBubble leaves two goroutines in a synctest bubble: one waits for a channel of the bubble, which
// nothing outside can wake, and one for a channel of the program's.
func startBubble() {
	all := func(string, string) (bool, error) { return true, nil }
	go testing.Main(all, []testing.InternalTest{{Name: "Bubble", F: bubble}}, nil, nil)
	time.Sleep(50 * time.Millisecond)
}

func bubble(t *testing.T) {
	synctest.Test(t, func(*testing.T) {
		inside := make(chan int)
		go durable(inside)
		go receiveNever()
		<-inside
	})
}

func durable(inside chan int) { <-inside }
