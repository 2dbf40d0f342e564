package main

import "runtime"

func startPanics() {
	go inDefer()
	go inDeferOfPanic()
	go inDeferOfNilDereference()
	go inDeferOfNilCall()
	go inDeferOfIndex(3)
	go recovered()
	go afterRecovery()
	go nestedPanics()
	go inDeferOfGoexit()
	go deferredWithArguments()
	go deferredInLoop(3)
}

func inDefer() {
	defer func() { <-never }()
	discard("leaving")
}

func inDeferOfPanic() {
	defer func() { <-never }()
	panic("in flight")
}

func inDeferOfNilDereference() {
	defer waitDeferred()
	dereference(nil)
}

func waitDeferred() { <-never }

//go:noinline
func dereference(p *struct{ a, b int }) int {
	// The fault is at this load: the frame has no call there.
	return p.b + 1
}

func inDeferOfNilCall() {
	defer waitDeferred()
	var f func()
	callIt(f)
}

func inDeferOfIndex(i int) {
	defer waitDeferred()
	discard([]string{"a"}[i])
}

func recovered() {
	defer func() {
		recover()
		<-never
	}()
	panic("caught")
}

func afterRecovery() {
	swallow()
	<-never
}

func swallow() {
	defer func() { recover() }()
	panic("swallowed")
}

func nestedPanics() {
	defer func() { <-never }()
	defer func() {
		panic("second")
	}()
	panic("first")
}

func inDeferOfGoexit() {
	defer func() { <-never }()
	runtime.Goexit()
}

func deferredWithArguments() {
	defer waitOn(never, 1)
	discard("leaving")
}

func waitOn(from <-chan int, more int) { println(<-from + more) }

func deferredInLoop(n int) {
	for i := 0; i < n; i++ {
		defer func(i int) { waitOn(never, i) }(i)
	}
}

//go:noinline
func discard(string) {}
