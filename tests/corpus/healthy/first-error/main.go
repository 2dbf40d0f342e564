// Command first-error collects a home page from its parts with a group that waits for all of them.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/healthy/first-error/group"
	"example.org/leak-agent/corpus/internal/alive"
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
	g.Go(part(20*time.Millisecond, news))
	g.Go(part(100*time.Millisecond, nil))
	g.Go(part(150*time.Millisecond, nil))
	return g.Wait()
}

func main() {
	alive.Ready()
	for visitor := 0; ; visitor++ {
		go homePage(visitor)
		time.Sleep(100 * time.Millisecond)
	}
}
