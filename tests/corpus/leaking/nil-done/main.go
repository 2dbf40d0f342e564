// Command nil-done offers jobs a way to wait for their end. Jobs that were restored from disk have no
// done channel, so that whoever waits for one of them waits on nil: one every three seconds.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type job struct {
	id   int
	done chan struct{}
}

func start(id int) *job {
	j := &job{id: id, done: make(chan struct{})}
	time.AfterFunc(100*time.Millisecond, func() { close(j.done) })
	return j
}

func restore(id int) *job { return &job{id: id} }

func (j *job) wait(then func(int)) {
	<-j.done // want: channel-nil likely pattern=nil-channel
	then(j.id)
}

func main() {
	alive.Ready()
	report := func(id int) {}
	for id := 0; ; id++ {
		j := start(id)
		if id%15 == 14 {
			j = restore(id)
		}
		go j.wait(report)
		time.Sleep(200 * time.Millisecond)
	}
}
