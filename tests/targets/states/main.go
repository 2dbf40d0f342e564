// Command states parks goroutines in every way there is, and keeps them parked: the target that
// the reading of stacks, wait reasons and creation sites is tested on, in every Go version and
// build mode. Each file starts one kind:
//
//	channels.go  sends, receives, selects, nil channels, contexts
//	locks.go     mutexes, read-write locks, conditions, wait groups, a lock cycle, a held lock
//	system.go    sleeps, the poller, raw system calls, goroutines locked to their thread
//	calls.go     how a goroutine can be started: methods, closures, wrappers, arguments
//	frames.go    what stacks can look like: deep, big, inlined, generic, renamed by //line
//	panics.go    deferred calls, panics in flight, a nil dereference, after a recovery
//	runtime.go   finalizers and cleanups (Go 1.25) that block
//	pull.go      coroutines of iter.Pull (Go 1.23)
//	cgo.go       blocked in C, called back from C, on a thread that C made (tag cgo_target)
//
// The main goroutine serves package control's commands.
package main

import "example.org/leak-agent/targets/internal/control"

// never is what most goroutines wait on. Nothing is ever sent.
var never = make(chan int)

func main() {
	startChannels()
	startLocks()
	startSystem()
	startCalls()
	startFrames()
	startPanics()
	startRuntime()
	startPull()
	startCgo()
	control.Serve(nil)
}
