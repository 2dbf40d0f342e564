// Command held has objects of every form that the heap knows, each kind held by one variable alone, or by goroutines:
//
//	live       OK and the bytes of all objects after a collection
//	drop NAME  drops what the variable main.NAME holds; OK and how many bytes were freed by that
//	shuffle on|off  moves pointers between objects all the time; OK
package main

import (
	"runtime"
	"sort"
	"strconv"
	"sync"

	"example.org/leak-agent/targets/internal/control"
)

// session is an object with a few pointers, told by bits.
type session struct {
	id     int
	name   string
	events []byte
	next   *session
}

// wide is larger than what is told by bits.
type wide struct {
	numbers [90]uint64
	first   *session
	others  [20]*session
}

// registry is made by the compiler, and has no symbol.
type registry struct {
	mutex  sync.Mutex
	byName map[string]*session
	list   []*session
}

var (
	store    = map[string]*session{}
	cache    = &registry{byName: map[string]*session{}}
	wides    []*wide
	ring     *session
	table    *[1 << 16]*session
	blobs    [][]byte
	values   []any
	channel  chan *session
	closures []func() int
	// Its finalizer alone holds a megabyte.
	finalized = newSession()
)

// of a few hundred thousand objects.
const count = 2000

var drops = map[string]func(){
	"store":    func() { store = nil },
	"cache":    func() { cache.byName, cache.list = nil, nil },
	"wides":    func() { wides = nil },
	"ring":     func() { ring = nil },
	"table":    func() { table = nil },
	"blobs":    func() { blobs = nil },
	"values":   func() { values = nil },
	"channel":  func() { channel = nil },
	"closures": func() { closures = nil },
}

func main() {
	fill()
	quit := make(chan []byte)
	for i := 0; i < 3; i++ {
		go worker(quit)
	}
	finalize()
	control.Serve(map[string]control.Command{
		"live": func([]string) string { return "OK " + strconv.FormatUint(live(), 10) },
		"drop": func(args []string) string {
			if len(args) == 1 && drops[args[0]] != nil {
				before := live()
				drops[args[0]]()
				return "OK " + strconv.FormatInt(int64(before)-int64(live()), 10)
			}
			return "ERR wants a name"
		},
		"shuffle": shuffle,
	})
}

//go:noinline
func newSession() *session { return &session{} }

//go:noinline
func finalize() {
	needed := make([]byte, 1<<20)
	runtime.SetFinalizer(finalized, func(*session) { runtime.KeepAlive(needed) })
}

//go:noinline
func fill() {
	name := func(i int) string { return "session " + strconv.Itoa(i) }
	for i := 0; i < count; i++ {
		store[name(i)] = &session{id: i, name: name(i), events: make([]byte, 1000)}
		one := &session{id: i, name: name(i), events: make([]byte, 500)}
		cache.byName[one.name] = one
		cache.list = append(cache.list, one)
		ring = &session{id: i, next: ring}
		values = append(values, session{id: i, events: make([]byte, 40)})
		captured := &session{id: i}
		closures = append(closures, func() int { return captured.id })
	}
	for i := 0; i < count/4; i++ {
		it := &wide{first: &session{id: i}}
		it.others[19] = &session{events: make([]byte, 100)}
		wides = append(wides, it)
	}
	table = new([1 << 16]*session)
	for i := range table {
		if i%3 == 0 {
			table[i] = &session{id: i}
		}
	}
	for i := 0; i < 20; i++ {
		blobs = append(blobs, make([]byte, 100_000))
	}
	channel = make(chan *session, 1000)
	for i := 0; i < 1000; i++ {
		channel <- &session{id: i, events: make([]byte, 200)}
	}
}

func worker(quit chan []byte) {
	local := make([]byte, 2<<20)
	for it := range quit {
		local[0] += it[0]
	}
	runtime.KeepAlive(local)
}

func live() uint64 {
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

var stop chan bool

// shuffle sorts the sessions of the cache forth and back, and makes new ones.
func shuffle(args []string) string {
	if len(args) == 1 && args[0] == "on" && stop == nil {
		stop = make(chan bool)
		go func(stop chan bool) {
			for up := true; ; up = !up {
				select {
				case <-stop:
					return
				default:
				}
				cache.mutex.Lock()
				sort.Slice(cache.list, func(i, j int) bool { return cache.list[i].id < cache.list[j].id == up })
				for i := range cache.list {
					if i%7 == 0 {
						old := cache.list[i]
						cache.list[i] = &session{id: old.id, name: old.name, events: old.events}
						cache.byName[old.name] = cache.list[i]
					}
				}
				cache.mutex.Unlock()
			}
		}(stop)
		return "OK"
	}
	if len(args) == 1 && args[0] == "off" && stop != nil {
		close(stop)
		stop = nil
		return "OK"
	}
	return "ERR wants on or off"
}
