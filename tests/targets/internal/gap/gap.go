// Package gap measures what others do to a program's scheduling: a goroutine on its own thread looks at the clock
// all the time.
package gap

import (
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

// Meter knows the longest time for which a goroutine that always wants to run did not.
type Meter struct {
	worst, looks atomic.Int64
	stop         chan struct{}
}

// Command is what a test can tell a meter:
//
//	gap start   begins to watch
//	gap reset   forgets the gaps seen so far
//	gap         OK <the longest time in ns between two looks> <how many looks>
//	gap stop    ends it
func (m *Meter) Command(args []string) string {
	if len(args) == 0 {
		if m.stop == nil {
			return "ERR no meter runs: gap start"
		}
		return "OK " + strconv.FormatInt(m.worst.Load(), 10) + " " + strconv.FormatInt(m.looks.Load(), 10)
	}
	switch args[0] {
	case "start":
		if m.stop == nil {
			m.stop = make(chan struct{})
			go m.watch(m.stop)
		}
		return "OK"
	case "reset":
		m.worst.Store(0)
		m.looks.Store(0)
		return "OK"
	case "stop":
		if m.stop != nil {
			m.stop <- struct{}{}
			m.stop = nil
		}
		return "OK"
	}
	return "ERR usage: gap [start|reset|stop]"
}

func (m *Meter) watch(stop <-chan struct{}) {
	runtime.LockOSThread()
	last := time.Now()
	for {
		select {
		case <-stop:
			return
		default:
		}
		now := time.Now()
		if gap := now.Sub(last).Nanoseconds(); gap > m.worst.Load() {
			m.worst.Store(gap)
		}
		m.looks.Add(1)
		last = now
	}
}
