//go:build go1.24

package main

import "runtime"

// handle leads back to the object that it is to clean up after.
type handle struct {
	owner *connection
	load  [50]byte
}

type connection struct {
	handle *handle
	load   [30]byte
}

func init() {
	cleanUp = func() {
		it := &connection{}
		it.handle = &handle{owner: it}
		runtime.AddCleanup(it, func(handle *handle) { handle.owner = nil }, it.handle)
	}
}
