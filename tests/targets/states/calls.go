package main

import (
	"time"

	dotted "example.org/leak-agent/targets/internal/dotted.v2"
)

type worker struct{ from <-chan int }

func (w *worker) byPointer()       { <-w.from }
func (w worker) byValue()          { <-w.from }
func (w *worker) with(a, b int)    { println(<-w.from + a + b) }
func (w *worker) Wait()            { <-w.from }
func (w *worker) starts(depth int) { go func() { println(<-w.from + depth) }() }

type waiter interface{ Wait() }

// embedding has Wait by promotion, through a method that the compiler writes.
type embedding struct {
	name string
	*worker
}

type function func(<-chan int) int

func (f function) call(from <-chan int) int { return f(from) }

func startCalls() {
	w := &worker{never}
	go w.byPointer()
	go w.byValue()
	go w.with(1, 2)
	value := w.byPointer
	go value()
	copied := w.byValue
	go copied()
	go callIt(w.Wait)
	go (*worker).byPointer(w)

	var promoted waiter = &embedding{"promoted", w}
	go promoted.Wait()
	go waitThrough(promoted)
	go waitThrough(embedding{"by value", w})

	go manyArguments(1, "two", 3.0, []byte("four"), nil, w)
	go func(a int, b string) { println(<-never+a, b) }(1, "b")
	go func() { <-never }()
	func() {
		go func() {
			func() {
				<-never
			}()
		}()
	}()
	w.starts(3)
	go function(func(from <-chan int) int { return <-from }).call(never)

	go dotted.Wait(never)
	go (&dotted.Waiter{From: never}).Wait()

	// Its creator is gone.
	go func() { go receive(never) }()
	// It runs on a goroutine that the runtime made for the timer.
	time.AfterFunc(time.Microsecond, func() { <-never })
	// A creation inside a deferred call, and one in a loop within a range.
	func() {
		defer func() { go receive(never) }()
	}()
	for _, from := range []chan int{never, never} {
		from := from
		go func() { <-from }()
	}
}

//go:noinline
func callIt(f func()) { f() }

//go:noinline
func waitThrough(w waiter) { w.Wait() }

func manyArguments(a int, b string, c float64, d []byte, e error, f *worker) {
	println(<-f.from+a, b, c, d, e)
}
