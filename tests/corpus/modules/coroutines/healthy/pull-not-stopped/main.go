// Command pull-not-stopped takes the first row of a result with iter.Pull, and stops it.
package main

import (
	"iter"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func rows(limit int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for row := range limit {
			if !yield(row) {
				return
			}
		}
	}
}

func first(limit int) (int, bool) {
	next, stop := iter.Pull(rows(limit))
	defer stop()
	return next()
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		first(10)
	}
}
