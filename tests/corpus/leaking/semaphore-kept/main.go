// Command semaphore-kept renders at most four pages at a time. A page that fails keeps its place, and
// after four of them everybody queues.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type renderer struct{ places chan struct{} }

func (r *renderer) render(page int) error {
	r.places <- struct{}{} // want: channel-send likely
	if page%10 == 9 {
		return errors.New("a font is missing")
	}
	time.Sleep(5 * time.Millisecond)
	<-r.places
	return nil
}

func main() {
	r := &renderer{places: make(chan struct{}, 4)}
	alive.Ready()
	for page := 0; ; page++ {
		go r.render(page)
		time.Sleep(100 * time.Millisecond)
	}
}
