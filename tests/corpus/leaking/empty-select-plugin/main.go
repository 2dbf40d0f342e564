// Command empty-select-plugin runs plugins. A plugin without a background task parks its goroutine in
// an empty select "so that it stays loaded": four goroutines that nothing can wake.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type plugin struct {
	name  string
	every time.Duration
	task  func()
}

func (p plugin) run() {
	if p.task == nil {
		select {} // want: select-empty likely pattern=empty-select
	}
	for range time.Tick(p.every) {
		p.task()
	}
}

func main() {
	runs := 0
	plugins := []plugin{
		{name: "metrics", every: 100 * time.Millisecond, task: func() { runs++ }},
		{name: "theme"}, {name: "icons"}, {name: "fonts"}, {name: "locale"},
	}
	for _, p := range plugins {
		go p.run()
	}
	alive.Ready()
	for range time.Tick(time.Minute) {
	}
}
