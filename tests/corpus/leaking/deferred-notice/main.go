// Command deferred-notice tells a supervisor that a job has ended, in a deferred closure. The
// supervisor of a cancelled job has gone.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func supervise(job func(), limit time.Duration) {
	ended := make(chan struct{})
	go func() {
		defer func() {
			ended <- struct{}{} // want: channel-send likely pattern=timed-out-receiver
		}()
		job()
	}()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
	}
}

func main() {
	alive.Ready()
	for n := 0; ; n++ {
		takes := 2 * time.Millisecond
		if n%4 == 0 {
			takes = 40 * time.Millisecond
		}
		go supervise(func() { time.Sleep(takes) }, 15*time.Millisecond)
		time.Sleep(100 * time.Millisecond)
	}
}
