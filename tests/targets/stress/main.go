// Command stress does at once what a runtime finds hardest, and keeps count, so that whatever an
// attached agent broke would show: a lost message, a wrong sum, a stack that was moved wrongly, a
// panic that was not recovered, or a part that no longer gets on.
//
//	messages.go   numbered messages with checksums through pipelines of channels
//	memory.go     stacks that grow and shrink, heaps that are collected, finalizers
//	faults.go     panics, nil dereferences, signals
//	scheduler.go  goroutines without end, timers, GOMAXPROCS, the CPU profiler's SIGPROF
//
// `alive` answers OK and one counter a part, or BAD and what was found wrong. Every counter rises
// for as long as the target is well. The other commands are package control's.
package main

import (
	"fmt"
	"sort"
	"strings"
	"sync"
	"sync/atomic"

	"example.org/leak-agent/targets/internal/control"
)

func main() {
	startMessages()
	startMemory()
	startFaults()
	startScheduler()
	control.ServeQuick(map[string]control.Command{"alive": alive})
}

var (
	parts  = map[string]*atomic.Int64{}
	faults struct {
		sync.Mutex
		first string
	}
)

// part names one thing that goes on, and hands out its counter. Only main's start calls it.
func part(name string) *atomic.Int64 {
	counter := new(atomic.Int64)
	parts[name] = counter
	return counter
}

// wrong keeps the first thing that was found wrong.
func wrong(format string, args ...any) {
	faults.Lock()
	defer faults.Unlock()
	if faults.first == "" {
		faults.first = fmt.Sprintf(format, args...)
	}
}

func alive([]string) string {
	faults.Lock()
	defer faults.Unlock()
	if faults.first != "" {
		return "BAD " + strings.ReplaceAll(faults.first, "\n", " ")
	}
	var counts []string
	for name, counter := range parts {
		counts = append(counts, fmt.Sprintf("%s=%d", name, counter.Load()))
	}
	sort.Strings(counts)
	return "OK " + strings.Join(counts, " ")
}
