// Command bench is what `cargo xtask bench overhead` slows down with probes: a server and a
// ping-pong, on one processor.
//
//	serve        serves HTTP on loopback; answers where
//	pingpong WORK  two goroutines that hand a ball back and forth until rest, and do some WORK in between
//	passes       how often it was handed over so far
//	rest         ends that
//
// The other commands are package control's.
package main

import (
	"net"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"

	"example.org/leak-agent/targets/internal/control"
)

var (
	passed  atomic.Int64
	resting chan struct{}
	// What work comes to, so that the compiler cannot leave it out.
	sink atomic.Uint64
)

func main() {
	runtime.GOMAXPROCS(1)
	control.Serve(map[string]control.Command{
		"serve":    serve,
		"pingpong": pingpong,
		"passes":   passes,
		"rest":     rest,
	})
}

func serve([]string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "ERR " + err.Error()
	}
	go http.Serve(listener, http.HandlerFunc(answer))
	return "OK " + listener.Addr().String()
}

// answer has a goroutine of its own do the work of each request.
func answer(w http.ResponseWriter, r *http.Request) {
	done := make(chan string)
	go func() { done <- priced(r.URL.Path) }()
	w.Write([]byte(<-done))
}

func priced(item string) string {
	return item + " costs " + strconv.Itoa(100+25*len(item)) + " cents\n"
}

func pingpong(args []string) string {
	work, err := strconv.Atoi(strings.Join(args, " "))
	if err != nil {
		return "ERR pingpong wants a number"
	}
	there, back := make(chan struct{}), make(chan struct{})
	resting = make(chan struct{})
	go func() {
		for range there {
			compute(work)
			back <- struct{}{}
		}
	}()
	go func(until <-chan struct{}) {
		defer close(there)
		for {
			select {
			case <-until:
				return
			default:
			}
			there <- struct{}{}
			compute(work)
			<-back
			passed.Add(1)
		}
	}(resting)
	return "OK"
}

func compute(rounds int) {
	n := uint64(rounds)
	for i := 0; i < rounds; i++ {
		n = n*6364136223846793005 + 1
	}
	sink.Store(n)
}

func passes([]string) string { return "OK passes=" + strconv.FormatInt(passed.Load(), 10) }

func rest([]string) string {
	close(resting)
	return "OK"
}
