// Command backlog-only-grows has a ring that becomes larger when it is full, and a consumer that is
// slower than those who fill it.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

// ring holds jobs between first and first+used.
type ring struct {
	jobs        [][]byte
	first, used int
}

var backlog = ring{jobs: make([][]byte, 64)}

func (r *ring) put(job []byte) {
	if r.used == len(r.jobs) {
		larger := make([][]byte, 2*len(r.jobs))
		for at := 0; at < r.used; at++ {
			larger[at] = r.jobs[(r.first+at)%len(r.jobs)]
		}
		r.jobs, r.first = larger, 0
	}
	r.jobs[(r.first+r.used)%len(r.jobs)] = job // want: heap-growth likely pattern=linear held=main.backlog
	r.used++
}

func (r *ring) take() {
	if r.used > 0 {
		r.jobs[r.first] = nil
		r.first = (r.first + 1) % len(r.jobs)
		r.used--
	}
}

func main() {
	service.Run(func(request int) {
		backlog.put(service.Bytes(24 << 10))
		if request%3 == 0 {
			backlog.take()
		}
	})
}
