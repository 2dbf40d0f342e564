// Command ticker-heartbeat keeps each device's connection warm with a ticker, which ends when the
// device leaves.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type device struct {
	id    int
	beats int
	left  chan struct{}
}

type hub struct{ devices map[int]*device }

func (h *hub) join(id int) {
	d := &device{id: id, left: make(chan struct{})}
	h.devices[id] = d
	go d.heartbeat()
}

func (h *hub) leave(id int) {
	if d, known := h.devices[id]; known {
		close(d.left)
		delete(h.devices, id)
	}
}

func (d *device) heartbeat() {
	every := time.NewTicker(2 * time.Second)
	defer every.Stop()
	for {
		select {
		case <-every.C:
			d.beats++
		case <-d.left:
			return
		}
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
