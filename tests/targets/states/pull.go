//go:build go1.23

package main

import "iter"

// startPull leaves coroutines: one suspended in its yield, one never started, one whose caller
// waits in next because the iterator itself is blocked.
func startPull() {
	next, _ := iter.Pull(count)
	next()
	started = append(started, next)
	unstarted, _ := iter.Pull(count)
	started = append(started, unstarted)

	go func() {
		next, stop := iter.Pull(blocking)
		defer stop()
		next()
	}()
	go func() {
		next, stop := iter.Pull2(pairs)
		defer stop()
		next()
		<-never
	}()
}

var started []func() (int, bool)

func count(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

func blocking(yield func(int) bool) { yield(<-never) }

func pairs(yield func(int, string) bool) {
	yieldAll(yield, 1)
}

//go:noinline
func yieldAll(yield func(int, string) bool, from int) {
	for i := from; yield(i, "pair"); i++ {
	}
}
