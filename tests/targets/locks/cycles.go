package main

import (
	"sync"
	"time"
)

type account struct {
	name    string
	mu      sync.Mutex
	balance int
}

func startCycles() {
	// Two that lock two accounts in opposite order: the receiver's is not the first field.
	a, b := &account{name: "a"}, &account{name: "b"}
	both := newMeeting(2)
	go transfer(a, b, both)
	go transfer(b, a, both)
	// Those who come later stand behind them.
	time.Sleep(20 * time.Millisecond)
	go transferLate(a, b)
	go transferLate(b, a)

	// The same without defer, and with somebody who made both and only waits.
	go bystander()

	// Three in a ring.
	ring := []*sync.Mutex{new(sync.Mutex), new(sync.Mutex), new(sync.Mutex)}
	three := newMeeting(3)
	for i := range ring {
		go lockInRing(ring[i], ring[(i+1)%3], three)
	}

	go lockTwice(new(sync.Mutex))
	go new(store).update()
	go new(cache).get()

	// A reader that reads again while a writer waits.
	table := new(sync.RWMutex)
	reading := make(chan struct{})
	go readAgain(table, reading)
	<-reading
	go writeBetween(table)

	go waitBelowLock(new(sync.Mutex), new(sync.WaitGroup))
}

func transfer(from, to *account, both *meet) {
	from.mu.Lock()
	defer from.mu.Unlock()
	both.here()
	to.mu.Lock()
	defer to.mu.Unlock()
	from.balance--
	to.balance++
}

func transferLate(from, to *account) {
	from.mu.Lock()
	defer from.mu.Unlock()
	to.mu.Lock()
	defer to.mu.Unlock()
	from.balance--
	to.balance++
}

func bystander() {
	var left, right sync.Mutex
	var done sync.WaitGroup
	both := newMeeting(2)
	done.Add(2)
	go leftThenRight(&left, &right, both, &done)
	go rightThenLeft(&left, &right, both, &done)
	done.Wait()
	left.Lock()
	right.Lock()
}

func leftThenRight(left, right *sync.Mutex, both *meet, done *sync.WaitGroup) {
	defer done.Done()
	left.Lock()
	both.here()
	right.Lock()
	right.Unlock()
	left.Unlock()
}

func rightThenLeft(left, right *sync.Mutex, both *meet, done *sync.WaitGroup) {
	defer done.Done()
	right.Lock()
	both.here()
	left.Lock()
	left.Unlock()
	right.Unlock()
}

func lockInRing(mine, next *sync.Mutex, three *meet) {
	mine.Lock()
	defer mine.Unlock()
	three.here()
	next.Lock()
	defer next.Unlock()
}

func lockTwice(mu *sync.Mutex) {
	mu.Lock()
	defer mu.Unlock()
	mu.Lock()
	defer mu.Unlock()
}

// store locks itself again in a method that it calls.
type store struct {
	entries int
	mu      sync.Mutex
}

func (s *store) update() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries++
	s.flush()
}

//go:noinline
func (s *store) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = 0
}

// cache wants to write to itself while it reads.
type cache struct {
	entries int
	mu      sync.RWMutex
}

func (c *cache) get() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if c.entries == 0 {
		c.refresh()
	}
	return c.entries
}

//go:noinline
func (c *cache) refresh() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries++
}

func readAgain(table *sync.RWMutex, reading chan<- struct{}) {
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

func writeBetween(table *sync.RWMutex) {
	table.Lock()
	defer table.Unlock()
}

// waitBelowLock waits for a goroutine that wants the lock that it holds.
func waitBelowLock(mu *sync.Mutex, group *sync.WaitGroup) {
	mu.Lock()
	defer mu.Unlock()
	group.Add(1)
	go doneAboveLock(mu, group)
	group.Wait()
}

func doneAboveLock(mu *sync.Mutex, group *sync.WaitGroup) {
	defer group.Done()
	mu.Lock()
	defer mu.Unlock()
}
