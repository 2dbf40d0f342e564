// Package pace lets a program live through an hour in a minute: a second is a minute of it, with the
// requests and the garbage collection that a minute has.
package pace

import (
	"runtime"
	"time"
)

// Minutes gives minutes, one a second. In each some hundred requests come and go besides.
func Minutes() <-chan time.Time {
	go collect()
	go serve()
	return time.Tick(time.Second)
}

func collect() {
	for range time.Tick(time.Second) {
		runtime.GC()
	}
}

func serve() {
	for range time.Tick(5 * time.Millisecond) {
		go time.Sleep(2 * time.Millisecond)
	}
}
