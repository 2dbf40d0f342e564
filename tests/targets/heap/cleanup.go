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

// upload is so large that its type stands with it.
type upload struct {
	ticket *ticket
	parts  [100]*byte
}

type ticket struct {
	of *upload
}

func init() {
	cleanUp = func() {
		large := &upload{ticket: &ticket{}}
		large.ticket.of = large
		runtime.AddCleanup(large, endUpload, large.ticket)
		it := &connection{}
		it.handle = &handle{owner: it}
		runtime.AddCleanup(it, endConnection, it.handle)
	}
}

func endConnection(handle *handle) { handle.owner = nil }

func endUpload(ticket *ticket) { ticket.of = nil }
