//go:build go1.24

package main

import (
	"runtime"
	"weak"
)

var (
	weakly weak.Pointer[tree]
	owner  = new(linked)
)

func init() {
	extra = append(extra, func() {
		ch, other := make(chan int), make(chan int)
		runtime.AddCleanup(owner, func(ch chan int) { close(ch) }, ch)
		lives("cleanup", func() { <-ch })
		runtime.AddCleanup(new(linked), func(int) { close(other) }, 1)
		lives("cleanup-of-garbage", func() { <-other })
		// The goroutine itself keeps what the weak pointer leads to.
		it := &tree{ch: make(chan int)}
		weakly = weak.Make(it)
		lives("weak", func() {
			<-it.ch
			runtime.KeepAlive(it)
		})
	})
}
