// Command blocked [-distinct] N DEPTH leaves N goroutines, each blocked below DEPTH frames, on one
// channel or each on its own: the target of the benches. It offers its own /debug/pprof to compare
// with (`pprof` answers its address), and measures what a reader does to its scheduling:
//
//	gap start   a goroutine on its own thread looks at the clock all the time
//	gap reset   forgets the gaps seen so far
//	gap         OK <the longest time in ns between two looks> <how many looks>
//	gap stop    ends it
//
// The other commands are package control's.
package main

import (
	"flag"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

func main() {
	distinct := flag.Bool("distinct", false, "each goroutine on a channel of its own")
	flag.Parse()
	count, badCount := strconv.Atoi(flag.Arg(0))
	depth, badDepth := strconv.Atoi(flag.Arg(1))
	if badCount != nil || badDepth != nil || count < 0 || depth < 0 {
		os.Stderr.WriteString("usage: blocked [-distinct] N DEPTH\n")
		os.Exit(2)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Stderr.WriteString("blocked: " + err.Error() + "\n")
		os.Exit(1)
	}
	go http.Serve(listener, nil)

	var parked sync.WaitGroup
	parked.Add(count)
	shared := make(chan int)
	for i := 0; i < count; i++ {
		from := shared
		if *distinct {
			from = make(chan int)
		}
		go descend(depth, from, &parked)
	}
	parked.Wait()

	var meter gapMeter
	control.ServeQuick(map[string]control.Command{
		"pprof": func([]string) string {
			return "OK http://" + listener.Addr().String() + "/debug/pprof/"
		},
		"gap": meter.command,
	})
}

//go:noinline
func descend(depth int, from <-chan int, parked *sync.WaitGroup) int {
	if depth > 1 {
		return descend(depth-1, from, parked) + 1
	}
	parked.Done()
	return <-from
}

// gapMeter knows the longest time for which a goroutine that always wants to run did not.
type gapMeter struct {
	worst, looks atomic.Int64
	stop         chan struct{}
}

func (m *gapMeter) command(args []string) string {
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

func (m *gapMeter) watch(stop <-chan struct{}) {
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
