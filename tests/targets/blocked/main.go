// Command blocked [-distinct] N DEPTH leaves N goroutines, each blocked below DEPTH frames, on one
// channel or each on its own: the target of the benches. It offers its own /debug/pprof to compare
// with (`pprof` answers its address), and measures what a reader does to its scheduling: `gap` is package gap's.
// The other commands are package control's.
package main

import (
	"flag"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"strconv"
	"sync"

	"example.org/leak-agent/targets/internal/control"
	"example.org/leak-agent/targets/internal/gap"
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

	var meter gap.Meter
	control.ServeQuick(map[string]control.Command{
		"pprof": func([]string) string {
			return "OK http://" + listener.Addr().String() + "/debug/pprof/"
		},
		"gap": meter.Command,
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
