package main

import "runtime"

func startRuntime() {
	startCleanup()
	abandon()
	// The second collection is for objects that the first found while they were still in a register.
	runtime.GC()
	runtime.GC()
}

//go:noinline
func abandon() {
	// Not tiny and with a pointer: a tiny one may share its block and never be found dead.
	object := &struct {
		from <-chan int
		pad  [64]byte
	}{from: never}
	runtime.SetFinalizer(object, func(object *struct {
		from <-chan int
		pad  [64]byte
	}) {
		<-object.from
	})
}
