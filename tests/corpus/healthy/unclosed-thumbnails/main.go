// Command unclosed-thumbnails starts a few encoders for each album and closes the list of pictures
// when the last one is on it. Albums come in bursts.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type album struct{ pictures []string }

func (a album) thumbnails() int {
	queue := make(chan string)
	var (
		mu   sync.Mutex
		made int
		left sync.WaitGroup
	)
	left.Add(4)
	for i := 0; i < 4; i++ {
		go func() {
			defer left.Done()
			for picture := range queue {
				mu.Lock()
				made += len(picture)
				mu.Unlock()
			}
		}()
	}
	for _, picture := range a.pictures {
		queue <- picture
	}
	close(queue)
	left.Wait()
	return made
}

func main() {
	alive.Ready()
	a := album{pictures: []string{"beach", "harbour", "sunset", "crew", "dinner"}}
	for {
		for upload := 0; upload < 50; upload++ {
			a.thumbnails()
		}
		time.Sleep(5 * time.Second)
	}
}
