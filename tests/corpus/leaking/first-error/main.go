// Command first-error collects a home page from its parts. The group that runs them stops listening at
// the first error, and the other parts cannot hand in their results: see package group.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/leaking/first-error/group"
)

func part(takes time.Duration, err error) func() error {
	return func() error {
		time.Sleep(takes)
		return err
	}
}

func homePage(visitor int) error {
	var news error
	if visitor%5 == 0 {
		news = errors.New("no news")
	}
	g := new(group.Group)
	g.Go(part(2*time.Millisecond, news))
	g.Go(part(10*time.Millisecond, nil))
	g.Go(part(15*time.Millisecond, nil))
	return g.Wait()
}

func main() {
	alive.Ready()
	for visitor := 0; ; visitor++ {
		go homePage(visitor)
		time.Sleep(100 * time.Millisecond)
	}
}
