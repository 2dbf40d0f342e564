// Command heap says on request what the runtime knows of its own heap:
//
//	figures     OK and pairs: those of runtime.MemStats, the counts of each size class, and of
//	            runtime/metrics
//	hold MB     holds so many megabytes more of objects of many sizes; OK
//	large N     holds so many more byte slices of 40,000 bytes, and as many slices of pointers of 150,000; OK
//	free-large  drops those, and collects garbage; OK
//	garbage MB  allocates so many that nothing holds; OK
//	collect     collects garbage; OK
//	finalize N  makes so many objects with a finalizer that nothing holds: of N each that another leads back to,
//	            that two others lead back to, that lead to another such object, that their finalizer's closure
//	            holds, and that their cleanup's argument or closure holds; and of N without one that point at each other; OK
//	weakly N    makes so many objects that caches keep by weak pointers to them, and as many that they do not; OK
//
// Run as `heap limited` it has a memory limit of 96 MiB, and GOGC is off.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"

	"example.org/leak-agent/targets/internal/control"
)

// node is an object with pointers.
type node struct {
	next *node
	load [5]uint64
}

// session and buffer point at each other.
type session struct {
	buffer *buffer
	id     int
}

type buffer struct {
	load  [100]byte
	owner *session
}

// stage leads to the next.
type stage struct {
	next *stage
	load [40]byte
}

// captured is held by the function that is to end it.
type captured struct {
	load [200]*byte
}

// account, order and item lead to each other in turn.
type account struct {
	orders *order
}

type order struct {
	items *item
	load  [70]byte
}

type item struct {
	of   *account
	load [150]byte
}

// loop has no finalizer: the collector frees it.
type loop struct {
	other *loop
	load  [30]byte
}

var (
	held  [][]byte
	nodes *node
	sink  []byte
	// cleanUp makes an object that its own cleanup keeps; nil up to Go 1.23, which has none.
	cleanUp func()
	// weakly fills caches of weak pointers; nil up to Go 1.23, which has none.
	weakly func(n int)
	stats  runtime.MemStats
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "limited" {
		debug.SetMemoryLimit(96 << 20)
		debug.SetGCPercent(-1)
	}
	hold(8 << 20)
	garbage(24 << 20)
	runtime.GC()
	garbage(1 << 20)
	control.ServeQuick(map[string]control.Command{
		"figures": func([]string) string { return "OK" + figures() },
		"collect": func([]string) string { runtime.GC(); return "OK" },
		"finalize": func(args []string) string {
			if len(args) != 1 {
				return "ERR wants a number"
			}
			number, err := strconv.Atoi(args[0])
			if err != nil {
				return "ERR wants a number"
			}
			for ; number > 0; number-- {
				finalize(number)
			}
			return "OK"
		},
		"weakly": func(args []string) string {
			if len(args) != 1 || weakly == nil {
				return "ERR wants a number, and Go 1.24"
			}
			number, err := strconv.Atoi(args[0])
			if err != nil || number < 0 {
				return "ERR wants a number"
			}
			weakly(number)
			return "OK"
		},
		"hold":    func(args []string) string { return sized(args, hold) },
		"large": func(args []string) string {
			if len(args) == 1 {
				if number, err := strconv.Atoi(args[0]); err == nil && number >= 0 {
					keepLarge(number)
					return "OK"
				}
			}
			return "ERR wants a number"
		},
		"free-large": func([]string) string {
			largeBytes, largeNodes = nil, nil
			// What the first finds unreachable the second frees, if nobody has before.
			runtime.GC()
			runtime.GC()
			return "OK"
		},
		"garbage": func(args []string) string { return sized(args, garbage) },
	})
}

func finalize(id int) {
	it := &session{buffer: &buffer{}, id: id}
	it.buffer.owner = it
	runtime.SetFinalizer(it, func(it *session) { it.buffer = nil })
	first := &stage{next: &stage{}}
	runtime.SetFinalizer(first, func(*stage) {})
	runtime.SetFinalizer(first.next, func(*stage) {})
	self := &captured{}
	runtime.SetFinalizer(self, func(*captured) { runtime.KeepAlive(self) })
	many := &account{orders: &order{items: &item{}}}
	many.orders.items.of = many
	runtime.SetFinalizer(many, func(*account) {})
	plain := &loop{other: &loop{}}
	plain.other.other = plain
	if cleanUp != nil {
		cleanUp()
	}
}

// largeBytes and largeNodes have room for all that is ever kept in them, so that they allocate nothing themselves.
var (
	largeBytes [][]byte
	largeNodes [][]*node
)

//go:noinline
func keepLarge(number int) {
	if largeBytes == nil {
		largeBytes, largeNodes = make([][]byte, 0, 1000), make([][]*node, 0, 1000)
	}
	for ; number > 0; number-- {
		keepBytes()
		keepNodes()
	}
}

//go:noinline
func keepBytes() { largeBytes = append(largeBytes, make([]byte, 40_000)) }

//go:noinline
func keepNodes() { largeNodes = append(largeNodes, make([]*node, 150_000/8)) }

func sized(args []string, allocate func(bytes int)) string {
	if len(args) == 1 {
		if megabytes, err := strconv.Atoi(args[0]); err == nil && megabytes >= 0 {
			allocate(megabytes << 20)
			return "OK"
		}
	}
	return "ERR wants a number of megabytes"
}

// sizes of objects: tiny ones, small ones of several classes, large ones.
var sizes = []int{3, 16, 40, 100, 512, 1500, 9000, 32768, 40000, 200000}

func hold(bytes int) {
	for number := 0; bytes > 0; number++ {
		size := sizes[number%len(sizes)]
		held = append(held, make([]byte, size))
		nodes = &node{next: nodes}
		bytes -= size + 48
	}
}

func garbage(bytes int) {
	for number := 0; bytes > 0; number++ {
		sink = make([]byte, sizes[number%len(sizes)])
		bytes -= len(sink)
	}
	sink = nil
}

func figures() string {
	// Metrics first: MemStats has the processors tell what they allocated.
	var text strings.Builder
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"},
		{Name: "/gc/heap/goal:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/memory/classes/heap/stacks:bytes"},
		{Name: "/gc/gogc:percent"},
		{Name: "/gc/gomemlimit:bytes"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
		{Name: "/cpu/classes/total:cpu-seconds"},
	}
	metrics.Read(samples)
	runtime.ReadMemStats(&stats)
	pair := func(name string, value uint64) {
		text.WriteString(" " + name + "=" + strconv.FormatUint(value, 10))
	}
	for _, sample := range samples {
		switch sample.Value.Kind() {
		case metrics.KindUint64:
			pair(sample.Name, sample.Value.Uint64())
		case metrics.KindFloat64:
			pair(sample.Name, uint64(sample.Value.Float64()*1e9))
		}
	}
	pair("TotalAlloc", stats.TotalAlloc)
	pair("Freed", stats.TotalAlloc-stats.HeapAlloc)
	pair("Mallocs", stats.Mallocs)
	pair("Frees", stats.Frees)
	pair("HeapAlloc", stats.HeapAlloc)
	pair("HeapInuse", stats.HeapInuse)
	pair("HeapIdle", stats.HeapIdle)
	pair("HeapReleased", stats.HeapReleased)
	pair("StackInuse", stats.StackInuse)
	pair("Sys", stats.Sys)
	pair("NextGC", stats.NextGC)
	pair("LastGC", stats.LastGC)
	pair("NumGC", uint64(stats.NumGC))
	pair("NumForcedGC", uint64(stats.NumForcedGC))
	pair("PauseTotalNs", stats.PauseTotalNs)
	pair("LastPauseNs", stats.PauseNs[(stats.NumGC+255)%256])
	for _, class := range stats.BySize {
		size := strconv.FormatUint(uint64(class.Size), 10)
		pair("mallocs-"+size, class.Mallocs)
		pair("frees-"+size, class.Frees)
	}
	return text.String()
}
