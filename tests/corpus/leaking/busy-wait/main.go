// Command busy-wait waits for a nightly report by asking a flag again and again. The report failed, so
// the flag stays down. The thread it burns runs behind everybody else (nice 19).
package main

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type report struct {
	finished atomic.Bool
	asked    uint64
}

func (r *report) await() {
	runtime.LockOSThread()
	syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), 19)
	for !r.finished.Load() {
		r.asked++
		runtime.Gosched() // want: loop suspect pattern=loop-for-ever
	}
}

func main() {
	go new(report).await()
	alive.Ready()
	for range time.Tick(time.Second) {
	}
}
