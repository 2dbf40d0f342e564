// Command stopped-ticker-range shows a progress bar for each download and stops its ticker at the end.
// Stop does not close the ticker's channel, so that the loop over it never ends.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type bar struct {
	every *time.Ticker
	drawn int
}

func show() *bar {
	b := &bar{every: time.NewTicker(50 * time.Millisecond)}
	go b.draw()
	return b
}

func (b *bar) draw() {
	for range b.every.C { // want: timer likely
		b.drawn++
	}
}

func (b *bar) finish() { b.every.Stop() }

func download() {
	b := show()
	defer b.finish()
	time.Sleep(200 * time.Millisecond)
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		go download()
	}
}
