// Command busy-wait drives a plotter from a thread of its own and asks a flag again and again whether
// the sheet is done. The sheet got stuck, so the flag stays down. The whole process runs behind
// everybody else (nice 19), since it burns a core.
package main

import (
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type plotter struct {
	done  atomic.Bool
	asked uint64
}

func (p *plotter) await() {
	runtime.LockOSThread()
	for !p.done.Load() {
		p.asked++
		runtime.Gosched() // want: loop suspect pattern=loop-for-ever
	}
}

// yieldToOthers lowers the priority of every thread; those to come inherit it.
func yieldToOthers() {
	threads, _ := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		if id, err := strconv.Atoi(thread.Name()); err == nil {
			syscall.Setpriority(syscall.PRIO_PROCESS, id, 19)
		}
	}
}

func main() {
	yieldToOthers()
	go new(plotter).await()
	alive.Ready()
	for range time.Tick(time.Second) {
	}
}
