// Command pull-not-stopped takes the first row of a result with iter.Pull, and never stops it: the coroutine
// stays where it yielded.
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
	next, _ := iter.Pull(rows(limit)) // want: not-closed likely // cause: iter.Pull
	return next()
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		first(10)
	}
}
