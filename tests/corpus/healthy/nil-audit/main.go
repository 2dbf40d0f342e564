// Command nil-audit writes an audit trail, if it is switched on. Where it is off its channel is nil on
// purpose: a select with a default never waits on it.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type auditor struct {
	entries chan string
	dropped int
}

func newAuditor(on bool) *auditor {
	a := &auditor{}
	if on {
		a.entries = make(chan string, 100)
		go a.write()
	}
	return a
}

func (a *auditor) write() {
	for range a.entries {
	}
}

func (a *auditor) report(what string) {
	select {
	case a.entries <- what:
	default:
		a.dropped++
	}
}

func main() {
	off, on := newAuditor(false), newAuditor(true)
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		off.report("root logged in")
		on.report("root logged in")
	}
}
