//go:build go1.25

package main

import "runtime"

// startCleanup leaves an object whose cleanup blocks the goroutine that the runtime runs it on.
//
//go:noinline
func startCleanup() {
	object := &[128]byte{}
	runtime.AddCleanup(object, func(from <-chan int) { <-from }, (<-chan int)(never))
}
