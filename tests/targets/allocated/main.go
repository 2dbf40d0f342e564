// Command allocated allocates at many lines, and writes what its own heap profile has of that:
//
//	hold MB             holds so many megabytes more; OK
//	drop                holds nothing of that any more; OK
//	collect             collects garbage; OK
//	rest                collects garbage twice, and never again by itself; OK
//	profile DEBUG FILE  writes the heap profile to a file, in the form of runtime/pprof that debug= asks for; OK
//	rate                OK and runtime.MemProfileRate
//
// Run as `allocated RATE` it samples one of so many bytes.
package main

import (
	"bytes"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"

	"example.org/leak-agent/targets/internal/control"
)

type node struct {
	next *node
	load [5]uint64
}

type pair[K comparable, V any] struct {
	key   K
	value V
}

var (
	buffers [][]byte
	nodes   *node
	names   = map[int]string{}
	text    *bytes.Buffer
	pairs   []any
	deep    [][]uint64
)

func main() {
	if len(os.Args) > 1 {
		rate, err := strconv.Atoi(os.Args[1])
		if err != nil {
			os.Stderr.WriteString("wants a rate\n")
			os.Exit(2)
		}
		runtime.MemProfileRate = rate
	}
	control.ServeQuick(map[string]control.Command{
		"hold":    hold,
		"drop":    drop,
		"collect": func([]string) string { runtime.GC(); return "OK" },
		"rest":    rest,
		"profile": profile,
		"rate":    func([]string) string { return "OK " + strconv.Itoa(runtime.MemProfileRate) },
	})
}

func hold(args []string) string {
	if len(args) != 1 {
		return "ERR wants a number of megabytes"
	}
	megabytes, err := strconv.Atoi(args[0])
	if err != nil || megabytes < 0 {
		return "ERR wants a number of megabytes"
	}
	for i := 0; i < megabytes; i++ {
		holdBuffers()
		holdNodes(2000)
		holdNames(1000)
		holdText(100 << 10)
		holdPairs[int, string](1000, "value")
		holdPairs[string, [4]uint64]("key", [4]uint64{})
		holdDeep(40)
	}
	return "OK"
}

//go:noinline
func holdBuffers() {
	for _, size := range []int{3, 100, 9000, 40000, 300000} {
		buffers = append(buffers, make([]byte, size))
	}
}

// newNode is inlined.
func newNode(next *node) *node { return &node{next: next} }

//go:noinline
func holdNodes(count int) {
	for i := 0; i < count; i++ {
		nodes = newNode(nodes)
	}
}

//go:noinline
func holdNames(count int) {
	for i := 0; i < count; i++ {
		names[len(names)] = strconv.Itoa(1_000_000_000 + i)
	}
}

// What the standard library allocates for it.
//
//go:noinline
func holdText(bytes_ int) {
	if text == nil {
		text = &bytes.Buffer{}
	}
	text.Write(make([]byte, bytes_))
}

//go:noinline
func holdPairs[K comparable, V any](key K, value V) {
	for i := 0; i < 500; i++ {
		pairs = append(pairs, &pair[K, V]{key, value})
	}
}

// holdDeep allocates below so many frames: more than old versions of Go keep.
//
//go:noinline
func holdDeep(depth int) int {
	if depth == 0 {
		deep = append(deep, make([]uint64, 8000))
		return len(deep)
	}
	return holdDeep(depth-1) + 1
}

func drop([]string) string {
	buffers, nodes, names, text, pairs, deep = nil, nil, map[int]string{}, nil, nil, nil
	return "OK"
}

func rest([]string) string {
	runtime.GC()
	runtime.GC()
	debug.SetGCPercent(-1)
	return "OK"
}

func profile(args []string) string {
	if len(args) != 2 {
		return "ERR wants a form and a file"
	}
	form, err := strconv.Atoi(args[0])
	if err != nil {
		return "ERR " + err.Error()
	}
	file, err := os.Create(args[1])
	if err == nil {
		err = pprof.Lookup("heap").WriteTo(file, form)
	}
	if err == nil {
		err = file.Close()
	}
	if err != nil {
		return "ERR " + err.Error()
	}
	return "OK"
}
