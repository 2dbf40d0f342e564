// Command stopped-ticker-range shows a progress bar for each download, which goes when the download
// has ended.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type bar struct {
	every *time.Ticker
	ended chan struct{}
	drawn int
}

func show() *bar {
	b := &bar{every: time.NewTicker(50 * time.Millisecond), ended: make(chan struct{})}
	go b.draw()
	return b
}

func (b *bar) draw() {
	for {
		select {
		case <-b.every.C:
			b.drawn++
		case <-b.ended:
			return
		}
	}
}

func (b *bar) finish() {
	b.every.Stop()
	close(b.ended)
}

func download() {
	b := show()
	defer b.finish()
	time.Sleep(2 * time.Second)
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		go download()
	}
}
