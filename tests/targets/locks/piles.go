package main

import (
	"sync"
	"time"
)

// startPiles makes what there is many of: pairs that lock two accounts in opposite order, readers that
// read again behind a writer, those that lock twice, and waiters whose holders all do the same. Then pairs go
// on to come, one each tenth of a second.
func startPiles(pairs int) {
	for i := 0; i < pairs; i++ {
		startPair()
		go lockAgain(new(sync.Mutex))
		table := new(sync.RWMutex)
		reading := make(chan struct{})
		go pileReadAgain(table, reading)
		<-reading
		go pileWriteBetween(table)

		slept := new(sync.Mutex)
		go pileHoldAsleep(slept)
		blocked := new(sync.Mutex)
		go pileHoldOnChannel(blocked)
		waitUntilHeld(slept)
		waitUntilHeld(blocked)
		go pileWantFromSleeper(slept)
		go pileWantFromChannel(blocked)
	}
	go startHandedOn()
	go func() {
		for range time.Tick(100 * time.Millisecond) {
			startPair()
		}
	}()
}

func startPair() {
	a, b := &account{name: "a"}, &account{name: "b"}
	both := newMeeting(2)
	go pileTransfer(a, b, both)
	go pileTransfer(b, a, both)
}

func pileTransfer(from, to *account, both *meet) {
	from.mu.Lock()
	defer from.mu.Unlock()
	both.here()
	to.mu.Lock()
	defer to.mu.Unlock()
	from.balance--
	to.balance++
}

func lockAgain(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	mu.Lock()
	defer mu.Unlock()
}

func pileReadAgain(table *sync.RWMutex, reading chan<- struct{}) {
	table.RLock()
	defer table.RUnlock()
	close(reading)
	for table.TryRLock() {
		table.RUnlock()
		time.Sleep(time.Millisecond)
	}
	table.RLock()
	defer table.RUnlock()
}

func pileWriteBetween(table *sync.RWMutex) {
	table.Lock()
	defer table.Unlock()
}

func pileHoldAsleep(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	time.Sleep(time.Hour)
}

func pileHoldOnChannel(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	<-never
}

func pileWantFromSleeper(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

func pileWantFromChannel(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

// startHandedOn makes goroutines lock one lock, which others give back: healthy, and yet no function does both.
func startHandedOn() {
	handed := new(sync.Mutex)
	for i := 0; i < 16; i++ {
		go func() {
			for {
				handOn(handed)
			}
		}()
	}
}

func handOn(mu *sync.Mutex) {
	mu.Lock()
	go func() {
		defer mu.Unlock()
		time.Sleep(120 * time.Millisecond)
	}()
}
