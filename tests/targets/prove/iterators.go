//go:build go1.23

package main

import (
	"iter"
	"time"
	"unique"
)

var (
	next   func() (int, bool)
	handle unique.Handle[string]
)

func init() {
	extra = append(extra, func() {
		ch := make(chan int)
		next, _ = iter.Pull(func(yield func(int) bool) {
			yield(1)
			close(ch)
		})
		next()
		lives("iterator", func() { <-ch })
		handle = unique.Make("a" + time.Now().String())
		ended := make(chan int)
		for range 3 {
			timer := time.NewTimer(forever)
			lives("timer-channel", func() { <-timer.C })
		}
		lives("select-timer", func() {
			select {
			case <-ended:
			case <-time.After(forever):
			}
		})
	})
}
