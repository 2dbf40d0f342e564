// Command semaphore-kept renders at most four pages at a time and gives each place back.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type renderer struct{ places chan struct{} }

func (r *renderer) render(page int) error {
	r.places <- struct{}{}
	defer func() { <-r.places }()
	if page%10 == 9 {
		return errors.New("a font is missing")
	}
	time.Sleep(350 * time.Millisecond)
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
