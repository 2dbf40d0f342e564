package main

import (
	"io"
	"runtime"
	"runtime/pprof"
	"sync"
	"sync/atomic"
	"time"
)

func startScheduler() {
	go goroutines(part("goroutines"))
	go timers(part("timers"))
	go processors(part("gomaxprocs"))
	go profile(part("profiles"))
}

// goroutines creates rounds of them, and each must have run.
func goroutines(rounds *atomic.Int64) {
	for {
		const round = 200
		var ran atomic.Int64
		var done sync.WaitGroup
		done.Add(round)
		for i := 0; i < round; i++ {
			go func() {
				defer done.Done()
				runtime.Gosched()
				ran.Add(1)
			}()
		}
		done.Wait()
		if ran.Load() != round {
			wrong("%d of %d goroutines ran", ran.Load(), round)
			return
		}
		rounds.Add(1)
	}
}

func timers(fired *atomic.Int64) {
	for {
		rang := make(chan struct{})
		time.AfterFunc(100*time.Microsecond, func() { close(rang) })
		<-rang
		fired.Add(1)
	}
}

func processors(changes *atomic.Int64) {
	for i := 0; ; i++ {
		runtime.GOMAXPROCS(1 + i%4)
		changes.Add(1)
		time.Sleep(3 * time.Millisecond)
	}
}

// profile turns the CPU profiler, and with it SIGPROF, on and off. Stopping takes it up to 200 ms.
func profile(profiles *atomic.Int64) {
	for {
		if err := pprof.StartCPUProfile(io.Discard); err != nil {
			wrong("StartCPUProfile: %v", err)
			return
		}
		time.Sleep(50 * time.Millisecond)
		pprof.StopCPUProfile()
		profiles.Add(1)
	}
}
