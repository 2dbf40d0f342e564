// Command piles lives for a minute as a server lives for half an hour: some of its goroutines pile up
// slowly, others are healthy. Run as `piles collected` it collects garbage once a second, as
// `piles uncollected` never.
//
//	leaks.go    what piles up, 90 a minute of each kind
//	healthy.go  sessions, pools, caches, a warm-up
//
// The main goroutine serves package control's commands.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

func main() {
	debug.SetGCPercent(-1)
	if len(os.Args) > 1 && os.Args[1] == "collected" {
		go func() {
			for {
				time.Sleep(time.Second)
				runtime.GC()
			}
		}()
	}
	startWorkers()
	startPool()
	go warmUp()
	go serveSessions()
	go fillCache()
	go handleRequests()
	control.ServeQuick(nil)
}

// handleRequests has goroutines come and go, and now and then one that leaks others.
func handleRequests() {
	for number := 0; ; number++ {
		go handle(number)
		time.Sleep(22 * time.Millisecond)
	}
}

func handle(number int) {
	time.Sleep(time.Millisecond)
	if number%30 == 0 {
		subscribe()
		publish()
		watch()
	}
}
