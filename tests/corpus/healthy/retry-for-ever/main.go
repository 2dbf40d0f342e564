// Command retry-for-ever posts webhooks and tries three times.
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

func (w *webhook) deliver() error {
	var err error
	for try := 0; try < 3; try++ {
		if err = w.post(); err == nil {
			return nil
		}
		time.Sleep(time.Second)
	}
	return err
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
