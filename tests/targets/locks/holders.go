package main

import (
	"sync"
	"time"
)

// global is a lock whose address nobody needs to keep: it is in the code.
var global sync.Mutex

func startHolders() {
	held := new(sync.Mutex)
	go holdOnChannel(held)
	waitUntilHeld(held)
	for i := 0; i < 3; i++ {
		go wantFromChannel(held)
	}

	slow := new(sync.Mutex)
	go holdAsleep(slow)
	waitUntilHeld(slow)
	go wantFromSleeper(slow)

	written := new(sync.RWMutex)
	go holdWriting(written)
	waitUntilHeld(written)
	go wantReading(written)
	go wantReading(written)

	// A chain: who is wanted wants something from another, who is blocked on a channel.
	first, second := new(sync.Mutex), new(sync.Mutex)
	go holdOnChannel(second)
	waitUntilHeld(second)
	go holdAndWant(first, second)
	waitUntilHeld(first)
	go wantFromChain(first)

	// Locked, and never unlocked by whoever has returned.
	forgotten := new(sync.Mutex)
	forget(forgotten)
	go wantForgotten(forgotten)

	go holdRunning()
	waitUntilHeld(&global)
	for i := 0; i < 20; i++ {
		go wantGlobal()
	}
}

func holdOnChannel(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	<-never
}

func wantFromChannel(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

func holdAsleep(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	time.Sleep(time.Hour)
}

func wantFromSleeper(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

func holdWriting(mu *sync.RWMutex) {
	mu.Lock()
	defer mu.Unlock()
	<-never
}

func wantReading(mu *sync.RWMutex) {
	mu.RLock()
	defer mu.RUnlock()
}

func holdAndWant(first, second *sync.Mutex) {
	first.Lock()
	defer first.Unlock()
	second.Lock()
	defer second.Unlock()
}

func wantFromChain(first *sync.Mutex) {
	first.Lock()
	defer first.Unlock()
}

//go:noinline
func forget(mu *sync.Mutex) {
	mu.Lock()
}

func wantForgotten(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

var spun uint64

func holdRunning() {
	global.Lock()
	defer global.Unlock()
	for n := uint64(1); ; n = n*6364136223846793005 + 1 {
		if n&0xfffff == 0 {
			spun = n
			// Leave the processor to others now and then.
			time.Sleep(200 * time.Microsecond)
		}
	}
}

func wantGlobal() {
	global.Lock()
	defer global.Unlock()
}
