// Command halted is a healthy program to be stopped from outside: nothing in it leaks, and while it
// runs nothing in it waits for long. What there is:
//
//	289 worker.turn   take turns at one mutex, each for a millisecond
//	8   relay.pass    pass a message round in a ring, each waiting for the one before
//	1   collect       forces a garbage collection every half second, which dates the waits
//
// `leak` adds 20 goroutines that wait for good, each on a channel of its own: what a detector has to
// find, however often the process is stopped meanwhile. With `lose-thread` the process's first thread
// ends at the start, as in a program in C whose main calls pthread_exit.
//
// A goroutine serves package control's commands.
package main

import (
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

const workers, relays = 289, 8

func init() {
	// The main goroutine keeps to the first thread.
	runtime.LockOSThread()
}

func main() {
	shared := &worker{}
	for i := 0; i < workers; i++ {
		go shared.turn()
	}
	ring := make([]relay, relays)
	for i := range ring {
		ring[i].in = make(chan int)
	}
	for i := range ring {
		ring[i].out = ring[(i+1)%relays].in
		go ring[i].pass()
	}
	ring[0].in <- 0
	go collect()
	go control.ServeQuick(map[string]control.Command{"leak": leak})
	if len(os.Args) > 1 && os.Args[1] == "lose-thread" {
		// The thread's end alone, not the process's. To Go, the call goes on for good.
		syscall.Syscall(syscall.SYS_EXIT, 0, 0, 0)
	}
	for {
		time.Sleep(time.Second)
	}
}

type worker struct {
	mu    sync.Mutex
	turns int
}

func (w *worker) turn() {
	for {
		w.mu.Lock()
		time.Sleep(time.Millisecond)
		w.turns++
		w.mu.Unlock()
	}
}

type relay struct {
	in, out chan int
}

func (r *relay) pass() {
	for {
		message := <-r.in
		time.Sleep(time.Millisecond)
		r.out <- message + 1
	}
}

func collect() {
	for {
		time.Sleep(500 * time.Millisecond)
		runtime.GC()
	}
}

func leak([]string) string {
	for i := 0; i < 20; i++ {
		go leaked(make(chan int))
	}
	return "OK"
}

func leaked(nobody chan int) {
	nobody <- 1
}
