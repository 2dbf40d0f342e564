// Command retry-for-ever posts webhooks and tries again until the receiver takes them. Some receivers
// do not exist any more.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type webhook struct {
	url      string
	attempts int
}

func (w *webhook) post() error {
	w.attempts++
	if w.url == "https://gone.example.org" {
		return errors.New("no such host")
	}
	return nil
}

func (w *webhook) deliver() {
	for w.post() != nil {
		time.Sleep(5 * time.Second) // want: timer likely
	}
}

func main() {
	alive.Ready()
	for n := 0; ; n++ {
		url := "https://here.example.org"
		if n%10 == 0 {
			url = "https://gone.example.org"
		}
		go (&webhook{url: url}).deliver()
		time.Sleep(50 * time.Millisecond)
	}
}
