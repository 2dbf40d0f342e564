// Command stored MEGABYTES fills a heap of about that size as a server's is: sessions in a map with what each has
// received, a tree, a list, and buffers, none of which leads to another. It is the target of the bench of memory.
//
//	heap        OK <bytes> <objects>, of all that is allocated
//	work start  a goroutine on its own thread looks sessions up, and allocates
//	work        OK <how often it did so since the last answer> <for how many ns>
//	work stop   ends it
//
// `gap` is package gap's, and the other commands are package control's.
package main

import (
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"example.org/leak-agent/targets/internal/control"
	"example.org/leak-agent/targets/internal/gap"
)

type event struct {
	kind    string
	payload []byte
	next    *event
}

type session struct {
	id     int
	name   string
	events []*event
	peer   *session
}

type node struct {
	left, right *node
	key         int
	value       []byte
}

var (
	sessions = map[string]*session{}
	index    *node
	queue    *event
	buffers  [][]byte
	// names are what the worker looks up.
	names []string
)

func main() {
	if len(os.Args) != 2 {
		usage()
	}
	megabytes, err := strconv.Atoi(os.Args[1])
	if err != nil || megabytes <= 0 {
		usage()
	}
	for i := 0; i < megabytes/10; i++ {
		buffers = append(buffers, received(1<<20))
	}
	fillSessions(megabytes * 6 / 10 << 20)
	index = indexed(0, megabytes*2/10<<20/valueSize)
	for i := 0; i < megabytes/10<<20/valueSize; i++ {
		queue = &event{kind: "message", payload: received(valueSize), next: queue}
	}
	runtime.GC()

	var meter gap.Meter
	var work worker
	control.ServeQuick(map[string]control.Command{
		"heap": func([]string) string {
			var stats runtime.MemStats
			runtime.ReadMemStats(&stats)
			return "OK " + strconv.FormatUint(stats.HeapAlloc, 10) + " " + strconv.FormatUint(stats.HeapObjects, 10)
		},
		"gap":  meter.Command,
		"work": work.command,
	})
}

func usage() {
	os.Stderr.WriteString("usage: stored MEGABYTES\n")
	os.Exit(2)
}

// valueSize is what is held by each part of the tree and of the list, in bytes.
const valueSize = 256

// received has been written to: memory that never was is not resident.
func received(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(i)
	}
	return data
}

func fillSessions(bytes int) {
	var last *session
	for held := 0; held < bytes; {
		s := &session{id: len(names), name: "session " + strconv.Itoa(len(names)), peer: last}
		for i := 0; i < 4; i++ {
			size := 64 << (uint(len(names)+i) % 5)
			s.events = append(s.events, &event{kind: "message", payload: received(size)})
			held += size + 48
		}
		sessions[s.name] = s
		names = append(names, s.name)
		// Of the session itself, its name, its events and its places.
		held += 64 + 16 + 32 + 16 + 40
		last = s
	}
}

// indexed makes a tree of the keys from one to below another.
func indexed(from, to int) *node {
	if from >= to {
		return nil
	}
	middle := (from + to) / 2
	return &node{indexed(from, middle), indexed(middle+1, to), middle, received(valueSize)}
}

// worker does what a server does, and counts how often.
type worker struct {
	rounds atomic.Int64
	asked  time.Time
	stop   chan struct{}
}

func (w *worker) command(args []string) string {
	if len(args) == 0 {
		if w.stop == nil {
			return "ERR nothing works: work start"
		}
		rounds, now := w.rounds.Swap(0), time.Now()
		took := now.Sub(w.asked)
		w.asked = now
		return "OK " + strconv.FormatInt(rounds, 10) + " " + strconv.FormatInt(took.Nanoseconds(), 10)
	}
	switch args[0] {
	case "start":
		if w.stop == nil {
			w.stop, w.asked = make(chan struct{}), time.Now()
			go w.run(w.stop)
		}
		return "OK"
	case "stop":
		if w.stop != nil {
			w.stop <- struct{}{}
			w.stop = nil
		}
		return "OK"
	}
	return "ERR usage: work [start|stop]"
}

func (w *worker) run(stop <-chan struct{}) {
	runtime.LockOSThread()
	// As far apart as sessions can be, so that most are in no cache.
	for at := 0; ; at = (at + 7919) % len(names) {
		select {
		case <-stop:
			return
		default:
		}
		found := sessions[names[at]]
		answer := make([]byte, 128)
		copy(answer, found.events[0].payload)
		w.rounds.Add(1)
	}
}
