// Command prove has goroutines that leak and goroutines that only look like it, and says which are which:
//
//	expect   OK and pairs, name=goid:leaked or name=goid:live
//	busy     begins to run one more that is live, and holds what another waits on, in a loop; OK
//	heavy    begins goroutines that leak and keep memory; OK and pairs, kind=goid
//	wait     OK, and then main waits for good; no further command is answered
//
// Each is a case of its own: what nobody else can reach is made in a function that has returned, and what others can
// still reach is reached in one way alone. Garbage is never collected by itself, so that what is to be finalized or
// cleaned up one day is not yet.
package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

var (
	mu       sync.Mutex
	expected []string
	// extra are cases of later Go versions.
	extra []func()
)

// expect notes what becomes of the goroutine that calls it.
func expect(name, what string) {
	mu.Lock()
	expected = append(expected, name+"="+goid()+":"+what)
	mu.Unlock()
}

func known() int {
	mu.Lock()
	defer mu.Unlock()
	return len(expected)
}

func goid() string {
	buf := make([]byte, 64)
	words := strings.Fields(string(buf[:runtime.Stack(buf, false)]))
	return words[1]
}

// leaks runs what never ends.
func leaks(name string, body func()) {
	go func() {
		expect(name, "leaked")
		body()
	}()
}

// lives runs what may end one day.
func lives(name string, body func()) {
	go func() {
		expect(name, "live")
		body()
	}()
}

func main() {
	debug.SetGCPercent(-1)
	queued()
	for _, begin := range append([]func(){leaking, holding, keeping, stacks}, extra...) {
		begin()
	}
	control.Serve(map[string]control.Command{
		"expect": func([]string) string {
			mu.Lock()
			defer mu.Unlock()
			return "OK " + strings.Join(expected, " ")
		},
		"busy": func([]string) string {
			before := known()
			begin := busy()
			for !begin.Load() || known() == before {
				time.Sleep(time.Millisecond)
			}
			return "OK"
		},
		"heavy": func([]string) string { return heavy() },
		"wait": func([]string) string {
			os.Stdout.WriteString("OK\n")
			select {}
		},
	})
}

// sink keeps what the compiler would drop.
var sink atomic.Int64

const forever = 1000 * time.Hour

// padded is a mutex that shares no block of tiny objects with others, which would keep it.
type padded struct {
	sync.Mutex
	load [2]*int
}

type box struct {
	ch    chan [4]uint64
	value [4]uint64
}

//go:noinline
func leaking() {
	send, receive, full := make(chan int), make(chan int), make(chan int, 1)
	full <- 1
	leaks("send", func() { send <- 1 })
	leaks("receive", func() { <-receive })
	leaks("full", func() { full <- 2 })
	leaks("range", func() {
		for range receive {
			sink.Add(1)
		}
	})
	var none chan int
	leaks("nil-send", func() { none <- 1 })
	leaks("nil-receive", func() { <-none })
	leaks("select-empty", func() { select {} })
	var neither chan string
	leaks("select-nil", func() {
		select {
		case <-none:
		case neither <- "":
		}
	})
	first, second := make(chan int), make(chan string)
	leaks("select", func() {
		select {
		case <-first:
		case second <- "":
		}
	})
	lock, rw, group := new(padded), new(sync.RWMutex), new(sync.WaitGroup)
	lock.Lock()
	rw.Lock()
	group.Add(1)
	leaks("mutex", lock.Lock)
	leaks("mutex-again", lock.Lock)
	leaks("writer", rw.Lock)
	leaks("reader", rw.RLock)
	leaks("group", group.Wait)
	cond := sync.NewCond(new(sync.Mutex))
	for range [3]int{} {
		leaks("cond", func() {
			cond.L.Lock()
			cond.Wait()
		})
	}
	// Each waits for the other.
	left, right := make(chan int), make(chan int)
	leaks("left", func() { left <- <-right })
	leaks("right", func() { right <- <-left })
	// What is sent holds the channel.
	own := &box{ch: make(chan [4]uint64)}
	leaks("own-element", func() { own.ch <- own.value })
	// One that leaks holds what another waits on.
	outer, inner := make(chan int), make(chan int)
	leaks("outer", func() {
		defer close(inner)
		<-outer
	})
	leaks("inner", func() { <-inner })
	// Its own deferred calls hold it, those in the heap too.
	again := make(chan int)
	leaks("own-deferred", func() {
		for range [3]int{} {
			defer func() { again <- 1 }()
		}
		<-again
	})
	// An object in the midst of it is waited on.
	many := make([]sync.Mutex, 10000)
	many[5000].Lock()
	leaks("in-large", func() { many[5000].Lock() })
	// Many of one kind, in few buckets of the runtime's table.
	for range [400]int{} {
		lock := new(padded)
		lock.Lock()
		leaks("many", lock.Lock)
	}
	for range [40]int{} {
		lock := new(padded)
		lock.Lock()
		lives("many-live", lock.Lock)
		locks = append(locks, lock)
	}
}

var locks []*padded

type tree struct {
	ch          chan int
	left, right *tree
}

type linked struct {
	next *linked
	load [70]uint64
	ch   chan int
}

var (
	global      = make(chan int)
	mapped      = map[string]*tree{}
	keyed       = map[chan int]bool{}
	boxed       any
	buffered    = make(chan chan int, 3)
	listed      *linked
	large       = make([]*tree, 100000)
	interior    *uint64
	method      func()
	closure     func()
	pool        sync.Pool
	stored      sync.Map
	atomically  atomic.Pointer[tree]
	globalMutex sync.Mutex
	globalGroup sync.WaitGroup
	globalCond  = sync.NewCond(new(sync.Mutex))
	inArray     [100]struct {
		number int
		ch     chan int
	}
)

func (t *tree) end() { close(t.ch) }

// holding makes what variables hold.
//
//go:noinline
func holding() {
	on := func(name string, hold func(ch chan int)) {
		ch := make(chan int)
		hold(ch)
		lives(name, func() { <-ch })
	}
	lives("global", func() { <-global })
	on("map-value", func(ch chan int) { mapped["x"] = &tree{right: &tree{ch: ch}} })
	on("map-key", func(ch chan int) { keyed[ch] = true })
	on("interface", func(ch chan int) { boxed = ch })
	on("buffer", func(ch chan int) { buffered <- ch })
	on("list", func(ch chan int) {
		listed = &linked{ch: ch}
		for range [200]int{} {
			listed = &linked{next: listed}
		}
	})
	on("large", func(ch chan int) { large[77777] = &tree{ch: ch} })
	on("interior", func(ch chan int) {
		it := &linked{ch: ch}
		interior = &it.load[20]
	})
	on("method", func(ch chan int) { method = (&tree{ch: ch}).end })
	on("closure", func(ch chan int) { closure = func() { close(ch) } })
	on("pool", func(ch chan int) { pool.Put(&tree{ch: ch}) })
	on("sync-map", func(ch chan int) { stored.Store("x", ch) })
	on("atomic", func(ch chan int) { atomically.Store(&tree{ch: ch}) })
	on("array", func(ch chan int) { inArray[50].ch = ch })
	globalMutex.Lock()
	globalGroup.Add(1)
	lives("global-mutex", globalMutex.Lock)
	lives("global-group", globalGroup.Wait)
	lives("global-cond", func() {
		globalCond.L.Lock()
		globalCond.Wait()
	})
	one, other := make(chan int), make(chan int)
	mapped["select"] = &tree{ch: other}
	lives("one-case", func() {
		select {
		case <-one:
		case <-other:
		}
	})
	// Whoever waits on something live may go on, and so what it holds is live too.
	first, second, third := make(chan int), make(chan int), make(chan int)
	mapped["chain"] = &tree{ch: first}
	lives("chain-1", func() {
		<-first
		close(second)
	})
	lives("chain-2", func() {
		<-second
		close(third)
	})
	lives("chain-3", func() { <-third })
	element := make(chan int)
	lives("element", func() { <-element })
	mapped["element"] = &tree{}
	sending := make(chan chan int)
	closures = append(closures, func() { (<-sending) <- 1 })
	lives("sender", func() { sending <- element })
}

var closures []func()

type wrapper struct{ ch chan int }

// keeping makes what the runtime keeps.
//
//go:noinline
func keeping() {
	fired, called := make(chan int), make(chan int)
	time.AfterFunc(forever, func() { close(fired) })
	lives("timer-closure", func() { <-fired })
	lives("timer", func() { <-time.After(forever) })
	ticker := time.NewTicker(forever)
	lives("ticker", func() { <-ticker.C })
	// What an object points to is there for its finalizer, which has not run.
	ended := make(chan int)
	wrapped := &wrapper{ended}
	runtime.SetFinalizer(wrapped, func(it *wrapper) { close(it.ch) })
	lives("finalized", func() { <-ended })
	runtime.SetFinalizer(&wrapper{}, func(*wrapper) { close(called) })
	lives("finalizer", func() { <-called })
	// Nothing but the goroutine itself holds the object: its finalizer never runs.
	locked := &struct {
		mu   sync.Mutex
		load *int
	}{}
	locked.mu.Lock()
	runtime.SetFinalizer(locked, func(any) { sink.Add(1) })
	leaks("finalized-lock", func() { locked.mu.Lock() })
}

var never = make(chan int)

// queued has a finalizer wait in the queue, behind one that does not end.
//
//go:noinline
func queued() {
	var begun atomic.Bool
	runtime.SetFinalizer(&wrapper{}, func(*wrapper) {
		begun.Store(true)
		<-never
	})
	for !begun.Load() {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	ch := make(chan int)
	queue(ch)
	runtime.GC()
	runtime.GC()
	lives("queued", func() { <-ch })
}

//go:noinline
func queue(ch chan int) {
	runtime.SetFinalizer(&wrapper{ch}, func(it *wrapper) { close(it.ch) })
}
