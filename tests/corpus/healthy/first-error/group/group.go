// Package group runs functions together and reports the first error once all have ended.
package group

import "sync"

// Group is a set of functions that run together.
type Group struct {
	left sync.WaitGroup
	once sync.Once
	err  error
}

// Go starts one more function.
func (g *Group) Go(f func() error) {
	g.left.Add(1)
	go func() {
		defer g.left.Done()
		if err := f(); err != nil {
			g.once.Do(func() { g.err = err })
		}
	}()
}

// Wait returns when all have ended.
func (g *Group) Wait() error {
	g.left.Wait()
	return g.err
}
