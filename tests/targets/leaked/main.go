// Command leaked N MEGABYTES lets go of N goroutines, each of which waits on a channel that nobody else has, and keeps
// a heap of about that size: the target of the bench of proofs. `pprof` answers the address of its own /debug/pprof,
// whose goroutineleak profile says of the program what a proof says of it. `gap` is package gap's, the other commands are
// package control's.
package main

import (
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"strconv"
	"sync"

	"example.org/leak-agent/targets/internal/control"
	"example.org/leak-agent/targets/internal/gap"
)

// node is what most of a heap is made of: objects that lead to others, and bytes.
type node struct {
	left, right *node
	key         int
	name        *string
	value       []byte
}

// nodeBytes is what a node takes with what belongs to it.
const nodeBytes = 64 + 16 + 16 + valueSize

const valueSize = 256

var kept *node

func main() {
	if len(os.Args) != 3 {
		usage()
	}
	count, badCount := strconv.Atoi(os.Args[1])
	megabytes, badSize := strconv.Atoi(os.Args[2])
	if badCount != nil || badSize != nil || count < 0 || megabytes < 0 {
		usage()
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Stderr.WriteString("leaked: " + err.Error() + "\n")
		os.Exit(1)
	}
	go http.Serve(listener, nil)
	kept = tree(0, megabytes<<20/nodeBytes)
	var parked sync.WaitGroup
	parked.Add(count)
	for i := 0; i < count; i++ {
		go wait(make(chan int), &parked)
	}
	parked.Wait()
	runtime.GC()

	var meter gap.Meter
	control.ServeQuick(map[string]control.Command{
		"pprof": func([]string) string {
			return "OK http://" + listener.Addr().String() + "/debug/pprof/"
		},
		"gap": meter.Command,
	})
}

func usage() {
	os.Stderr.WriteString("usage: leaked N MEGABYTES\n")
	os.Exit(2)
}

//go:noinline
func wait(from <-chan int, parked *sync.WaitGroup) {
	parked.Done()
	<-from
}

// tree has the keys from one to below another.
func tree(from, to int) *node {
	if from >= to {
		return nil
	}
	middle := (from + to) / 2
	name := "node " + strconv.Itoa(middle)
	it := &node{left: tree(from, middle), key: middle, name: &name, value: make([]byte, valueSize)}
	for i := range it.value {
		it.value[i] = byte(i)
	}
	it.right = tree(middle+1, to)
	return it
}
