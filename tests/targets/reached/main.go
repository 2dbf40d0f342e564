// Command reached has goroutines that pile up, each kind waiting on what is held in one way:
//
//	kinds    OK and how many of each kind there are
//	many N   N more that wait on what a variable holds; OK
//
// What holds it is all that is different: a map in a variable, the stack of another goroutine, a variable itself, a context, a
// timer, a closure; or nothing but they themselves.
package main

import (
	"context"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

// Event is what sessions wait for.
type Event struct{ id int }

// Session waits for events.
type Session struct {
	name   string
	events chan Event
}

// hub is on the stack of one goroutine alone.
type hub struct {
	name    string
	waiters []chan int
}

// padded is a mutex that shares no block of tiny objects with others.
type padded struct {
	sync.Mutex
	load [2]*int
}

var (
	registry = map[string]*Session{}
	guard    sync.Mutex
	boxes    []*padded
	hooks    []func()
	base     context.Context
	cancel   context.CancelFunc
	count    atomic.Int64
	sink     atomic.Int64
)

//go:noinline
func (s *Session) listen() {
	for range s.events {
		sink.Add(1)
	}
}

//go:noinline
func waitForHub(ch chan int) { sink.Add(int64(<-ch)) }

//go:noinline
func waitForGuard() { guard.Lock() }

//go:noinline
func waitForBox(box *padded) { box.Lock() }

//go:noinline
func waitForContext(ctx context.Context) { <-ctx.Done() }

//go:noinline
func waitForTimer(ch chan string) { <-ch }

//go:noinline
func waitForHook(ch chan bool) { <-ch }

//go:noinline
func waitForNobody(ch chan [2]int) { <-ch }

// more begins one more of each kind.
//
//go:noinline
func more(number int) {
	name := "session-" + strconv.Itoa(number)
	session := &Session{name: name, events: make(chan Event)}
	registry[name] = session
	go session.listen()

	go waitForGuard()

	box := &padded{}
	box.Lock()
	boxes = append(boxes, box)
	go waitForBox(box)

	go waitForContext(base)

	timed := make(chan string)
	time.AfterFunc(1000*time.Hour, func() { close(timed) })
	go waitForTimer(timed)

	hooked := make(chan bool)
	hooks = append(hooks, func() { close(hooked) })
	go waitForHook(hooked)

	go waitForNobody(make(chan [2]int))
	count.Add(1)
}

// serve keeps a hub on its stack, and begins what waits for it.
//
//go:noinline
func serve() {
	own := &hub{name: "hub"}
	for {
		ch := make(chan int)
		own.waiters = append(own.waiters, ch)
		go waitForHub(ch)
		time.Sleep(100 * time.Millisecond)
		sink.Add(int64(len(own.waiters)))
	}
}

func grow() {
	for number := 0; ; number++ {
		more(number)
		time.Sleep(100 * time.Millisecond)
	}
}

func many(arguments []string) string {
	number, err := strconv.Atoi(arguments[0])
	if err != nil {
		return "BAD " + err.Error()
	}
	sessions := make([]*Session, number)
	for at := range sessions {
		sessions[at] = &Session{events: make(chan Event)}
		go sessions[at].listen()
	}
	held = append(held, sessions...)
	return "OK"
}

var held []*Session

func main() {
	debug.SetGCPercent(400)
	guard.Lock()
	base, cancel = context.WithCancel(context.Background())
	go grow()
	go serve()
	control.ServeQuick(map[string]control.Command{
		"kinds": func([]string) string { return "OK " + strconv.FormatInt(count.Load(), 10) },
		"many":  many,
	})
	cancel()
}
