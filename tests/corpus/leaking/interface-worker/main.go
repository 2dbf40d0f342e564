// Command interface-worker starts a worker for each tenant's settings, behind an interface. Changed
// settings make a new worker; the old one's jobs channel is dropped, not closed.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type worker interface {
	run()
	submit(job string)
}

type resizer struct {
	jobs chan string
	done int
}

func (r *resizer) run() {
	for range r.jobs { // want: channel-receive likely pattern=unclosed-range
		r.done++
	}
}

func (r *resizer) submit(job string) { r.jobs <- job }

type cropper struct {
	resizer
	margin int
}

func build(settings int) worker {
	if settings%2 == 0 {
		return &resizer{jobs: make(chan string)}
	}
	return &cropper{resizer: resizer{jobs: make(chan string)}, margin: settings}
}

type tenant struct{ worker worker }

func (t *tenant) configure(settings int) {
	t.worker = build(settings)
	go t.worker.run()
}

func main() {
	t := new(tenant)
	alive.Ready()
	for settings := 0; ; settings++ {
		t.configure(settings)
		t.worker.submit("holiday.jpg")
		time.Sleep(300 * time.Millisecond)
	}
}
