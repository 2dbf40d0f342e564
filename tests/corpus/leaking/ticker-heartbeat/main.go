// Command ticker-heartbeat keeps each device's connection warm with a ticker. A device that leaves is
// forgotten, its heartbeat is not.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type device struct {
	id    int
	beats int
}

type hub struct{ devices map[int]*device }

func (h *hub) join(id int) {
	d := &device{id: id}
	h.devices[id] = d
	go d.heartbeat()
}

func (h *hub) leave(id int) { delete(h.devices, id) }

func (d *device) heartbeat() {
	every := time.NewTicker(2 * time.Second)
	for {
		<-every.C // want: timer likely pattern=ticker-not-stopped
		d.beats++
	}
}

func main() {
	h := &hub{devices: make(map[int]*device)}
	alive.Ready()
	for id := 0; ; id++ {
		h.join(id)
		h.leave(id - 10)
		time.Sleep(250 * time.Millisecond)
	}
}
