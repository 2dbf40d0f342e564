// Command nil-audit writes an audit trail, if it is switched on. Where it is off its channel was never
// made, and the few who report to it regardless wait for good.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type auditor struct {
	entries chan string
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
	a.entries <- what // want: channel-nil likely pattern=nil-channel
}

func main() {
	audit := newAuditor(false)
	for _, admin := range []string{"root", "backup"} {
		go audit.report(admin + " logged in")
	}
	alive.Ready()
	for range time.Tick(time.Second) {
	}
}
