// Command unclosed-thumbnails starts a few encoders for each album. The album's list of pictures is
// sent but never closed, so its encoders wait for another picture. Albums come in bursts.
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
	left.Add(len(a.pictures))
	for i := 0; i < 4; i++ {
		go func() {
			for picture := range queue { // want: channel-receive likely pattern=unclosed-range
				mu.Lock()
				made += len(picture)
				mu.Unlock()
				left.Done()
			}
		}()
	}
	for _, picture := range a.pictures {
		queue <- picture
	}
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
