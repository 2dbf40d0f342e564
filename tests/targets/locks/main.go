// Command locks makes goroutines wait for each other's locks in every way that ends in a cycle,
// and in some that do not: the target that the lock-wait graph is tested on. Each file starts one
// kind:
//
//	cycles.go   AB-BA, three in a ring, a lock taken twice, a reader that reads again behind a
//	            writer, a wait group below a lock
//	holders.go  holders that are blocked on a channel, asleep, or running
//	healthy.go  locks that are much wanted and pass from hand to hand, and idle pools
//	piles.go    hundreds of equal cycles and holders; with an argument, which is how many, and nothing else
//
// The main goroutine serves package control's commands.
package main

import (
	"os"
	"strconv"
	"sync"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

// never is a channel on which nothing is ever sent.
var never = make(chan int)

func main() {
	if len(os.Args) > 1 {
		pairs, err := strconv.Atoi(os.Args[1])
		if err != nil {
			panic(err)
		}
		startPiles(pairs)
	} else {
		startCycles()
		startHolders()
		startHealthy()
	}
	// Not Serve: here it never settles.
	time.Sleep(50 * time.Millisecond)
	control.ServeQuick(nil)
}

// waitUntilHeld returns when somebody has the lock. Its frames are gone when others look.
func waitUntilHeld(mu interface {
	TryLock() bool
	Unlock()
}) {
	for mu.TryLock() {
		mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

// meet makes two or more goroutines wait for each other, so that each has its first lock before
// any goes on to its second.
type meet struct{ sync.WaitGroup }

func newMeeting(guests int) *meet {
	meeting := new(meet)
	meeting.Add(guests)
	return meeting
}

func (m *meet) here() {
	m.Done()
	m.Wait()
}
