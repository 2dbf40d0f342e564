// Command stepped-rollout moves tenants to a new release, 50 at a time. Each tenant's watcher waits
// for a rollback that is decided for the whole release, and nobody closes that channel when the
// release is done.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type release struct {
	number   int
	rollback chan struct{}
	moved    int
}

func (r *release) move(tenant int) {
	r.moved++
	go r.watch(tenant)
}

func (r *release) watch(tenant int) {
	<-r.rollback // want: channel-receive likely pattern=missing-close
	println("tenant", tenant, "goes back to release", r.number-1)
}

func main() {
	alive.Ready()
	for number := 1; ; number++ {
		r := &release{number: number, rollback: make(chan struct{})}
		for tenant := 0; tenant < 50; tenant++ {
			r.move(tenant)
		}
		time.Sleep(8 * time.Second)
	}
}
