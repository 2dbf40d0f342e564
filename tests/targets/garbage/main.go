// Command garbage holds some objects and lets others go, as it is told, and says what collections free of them:
//
//	live N     holds so many records more; OK
//	drop N     makes so many records that nothing holds; OK
//	finish N   makes so many that nothing holds, each with a finalizer and with what that needs; OK
//	allocated  OK and the bytes of all objects; collects nothing
//	collect    OK and the bytes of all objects after a collection, when finalizers have run
//	churn on|off  a goroutine that runs makes and drops records, now and then; OK
//
// It collects nothing by itself.
package main

import (
	"runtime"
	"runtime/debug"
	"strconv"
	"sync/atomic"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

// record is some objects of several sizes, with pointers and without, in a list.
type record struct {
	next *record
	name string
	data []byte
	tags map[string]int
	rows [80]*[4]int
}

var (
	held *record
	lost *record
	// finishes is how many finalizers were set, ends how many ran.
	finishes, ends atomic.Int64
)

func main() {
	debug.SetGCPercent(-1)
	live(100)
	runtime.GC()
	control.ServeQuick(map[string]control.Command{
		"live": func(args []string) string { return counted(args, live) },
		"drop": func(args []string) string {
			return counted(args, func(n int) { drop(n); lost = nil; newRecord(0) })
		},
		"finish": func(args []string) string {
			return counted(args, func(n int) { finish(n); newRecord(0) })
		},
		"allocated": func([]string) string { return "OK " + strconv.FormatUint(bytes(), 10) },
		"collect": func([]string) string {
			runtime.GC()
			awaitFinalizers()
			return "OK " + strconv.FormatUint(bytes(), 10)
		},
		"churn": churn,
	})
}

// awaitFinalizers waits until every finalizer has run. A stale word on a stack may keep one object for long.
func awaitFinalizers() {
	for tries := 0; tries < 100 && ends.Load() < finishes.Load(); tries++ {
		time.Sleep(20 * time.Millisecond)
	}
}

func counted(args []string, do func(int)) string {
	if len(args) == 1 {
		if n, err := strconv.Atoi(args[0]); err == nil && n >= 0 {
			do(n)
			return "OK"
		}
	}
	return "ERR wants a number"
}

//go:noinline
func newRecord(id int) *record {
	it := &record{name: "record " + strconv.Itoa(id), data: make([]byte, 100+id%3000)}
	it.tags = map[string]int{it.name: id}
	for i := range it.rows {
		if i%4 == 0 {
			it.rows[i] = &[4]int{id}
		}
	}
	return it
}

//go:noinline
func live(n int) {
	for i := 0; i < n; i++ {
		it := newRecord(i)
		it.next = held
		held = it
	}
}

//go:noinline
func drop(n int) {
	for i := 0; i < n; i++ {
		it := newRecord(i)
		it.next = lost
		lost = it
	}
}

//go:noinline
func finish(n int) {
	for i := 0; i < n; i++ {
		it := newRecord(i)
		it.next = newRecord(i)
		finishes.Add(1)
		runtime.SetFinalizer(it, func(*record) { ends.Add(1) })
	}
}

func bytes() uint64 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

var stop chan bool

// churn lets collections come by themselves, so that the heap has a bound.
func churn(args []string) string {
	if len(args) == 1 && args[0] == "on" && stop == nil {
		debug.SetGCPercent(50)
		stop = make(chan bool)
		go func(stop chan bool) {
			for steps := 0; ; steps++ {
				if steps%100_000 == 0 {
					newRecord(1)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		}(stop)
		return "OK"
	}
	if len(args) == 1 && args[0] == "off" && stop != nil {
		close(stop)
		stop = nil
		debug.SetGCPercent(-1)
		return "OK"
	}
	return "ERR wants on or off"
}
