package main

import (
	"sync"
	"time"
)

type account struct {
	mu      sync.Mutex
	balance int
}

func startLocks() {
	// A mutex that its holder took into a wait of its own, and three who want it.
	held := new(sync.Mutex)
	go holdAndWait(held)
	waitUntilHeld(held)
	for i := 0; i < 3; i++ {
		go wantMutex(held)
	}

	// Readers behind a writer that holds, and writers behind a reader.
	byWriter, byReader := new(sync.RWMutex), new(sync.RWMutex)
	byWriter.Lock()
	byReader.RLock()
	go wantRead(byWriter)
	go wantRead(byWriter)
	go wantWrite(byReader)
	time.Sleep(5 * time.Millisecond)
	go wantWrite(byReader)
	go wantRead(byReader)

	// Two that lock two accounts in opposite order.
	a, b := new(account), new(account)
	var both sync.WaitGroup
	both.Add(2)
	go transfer(a, b, &both)
	go transfer(b, a, &both)

	ready := sync.NewCond(new(sync.Mutex))
	for i := 0; i < 3; i++ {
		go waitForCondition(ready)
	}

	group := new(sync.WaitGroup)
	group.Add(1)
	go waitForGroup(group)
	go waitForGroup(group)

	// One is inside once.Do for good, another waits behind it.
	once := new(sync.Once)
	go doOnce(once)
	go doOnce(once)

	go lockTwice()
}

func waitUntilHeld(mu *sync.Mutex) {
	for mu.TryLock() {
		mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

func holdAndWait(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	<-never
}

func wantMutex(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
}

func wantRead(mu *sync.RWMutex) {
	mu.RLock()
	defer mu.RUnlock()
}

func wantWrite(mu *sync.RWMutex) {
	mu.Lock()
	defer mu.Unlock()
}

func transfer(from, to *account, both *sync.WaitGroup) {
	from.mu.Lock()
	defer from.mu.Unlock()
	both.Done()
	both.Wait()
	to.mu.Lock()
	defer to.mu.Unlock()
	from.balance--
	to.balance++
}

func waitForCondition(ready *sync.Cond) {
	ready.L.Lock()
	defer ready.L.Unlock()
	ready.Wait()
}

func waitForGroup(group *sync.WaitGroup) { group.Wait() }

func doOnce(once *sync.Once) {
	once.Do(func() { <-never })
}

func lockTwice() {
	var mu sync.Mutex
	mu.Lock()
	mu.Lock()
}
