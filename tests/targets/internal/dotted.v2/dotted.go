// Package dotted lies in a folder with a dot in its name, which symbol tables write as %2e.
package dotted

// Wait blocks until something comes.
//
//go:noinline
func Wait(from <-chan int) int {
	return <-from
}

// Waiter blocks through a method.
type Waiter struct{ From <-chan int }

// Wait blocks until something comes.
func (w *Waiter) Wait() int {
	return Wait(w.From)
}
