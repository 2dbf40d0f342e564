// Command churn creates and ends goroutines, and keeps its own books, so that whatever an agent's
// probes counted can be compared to the last one.
//
//	start N     N goroutines that create others without end
//	flow N      one goroutine that creates N others a second, each of which ends at once
//	stop        ends them; answers, when all are gone, how many were created
//	leak N      N goroutines that stay; answers their creator's id and theirs
//	release     ends those; answers when all are gone
//	callers     what runtime.Callers said where the last of those was created
//	pull N      N coroutines (iter.Pull) that stay, where Go has them; answers how many
//	unpull      ends those
//	swing       one goroutine that waits in here; and at each further one goes on, to wait in there, in
//	            here again, and so on
//	pingpong    two goroutines that hand a ball back and forth without end
//	passes      how often it was handed over so far
//
// The other commands are package control's.
package main

import (
	"bytes"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

var (
	created  atomic.Int64
	passed   atomic.Int64
	stopping chan struct{}
	idle     int
	held     = make(chan struct{})
	recorded []uintptr
	wanted   int
	told     = make(chan uint64)
	// What a short goroutine waits for: nobody in particular.
	rendezvous = make(chan struct{})
)

func main() {
	control.Serve(map[string]control.Command{
		"start":   start,
		"flow":    flow,
		"stop":    stop,
		"leak":    leak,
		"release": release,
		"callers": callers,
		"pull":    pull,
		"unpull":  unpull,
		"swing":   swing,

		"pingpong": pingpong,
		"passes":   passes,
	})
}

func start(args []string) string {
	count, err := number(args)
	if err != nil {
		return "ERR start wants a number"
	}
	idle = runtime.NumGoroutine()
	stopping = make(chan struct{})
	for i := 0; i < count; i++ {
		go createUntil(stopping)
	}
	return "OK"
}

func flow(args []string) string {
	count, err := number(args)
	if err != nil {
		return "ERR flow wants a number"
	}
	idle = runtime.NumGoroutine()
	stopping = make(chan struct{})
	go flowUntil(stopping, float64(count))
	return "OK"
}

//go:noinline
func flowUntil(stop <-chan struct{}, perSecond float64) {
	begin := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for done := 0.0; ; {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		for due := perSecond * time.Since(begin).Seconds(); done < due; done++ {
			created.Add(1)
			go brief()
		}
	}
}

//go:noinline
func createUntil(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		created.Add(2)
		go brief()
		go meet()
		rendezvous <- struct{}{}
		runtime.Gosched()
	}
}

// brief ends at once.
//
//go:noinline
func brief() {}

// meet parks, and ends when somebody comes.
//
//go:noinline
func meet() { <-rendezvous }

func stop([]string) string {
	close(stopping)
	waitFor(idle)
	return "OK created=" + strconv.FormatInt(created.Load(), 10)
}

func leak(args []string) string {
	count, err := number(args)
	if err != nil {
		return "ERR leak wants a number"
	}
	wanted = count
	// Without arguments: for those the compiler would add a frame that runtime.Callers hides.
	go trunk()
	ids := []string{strconv.FormatUint(<-told, 10)}
	for i := 0; i < count; i++ {
		ids = append(ids, strconv.FormatUint(<-told, 10))
	}
	// They told it just before they parked: let the last ones do it.
	time.Sleep(20 * time.Millisecond)
	return "OK " + strings.Join(ids, " ")
}

// trunk, branch and twig are the frames that the creator's stack must show.
//
//go:noinline
func trunk() {
	told <- goid()
	branch(wanted)
}

//go:noinline
func branch(count int) {
	for i := 0; i < count; i++ {
		twig()
	}
}

//go:noinline
func twig() {
	pcs := make([]uintptr, 64)
	recorded = pcs[:runtime.Callers(1, pcs)]
	go hold()
}

//go:noinline
func hold() {
	told <- goid()
	<-held
}

func release([]string) string {
	before := runtime.NumGoroutine()
	waiting := strings.Count(string(control.Dump()), "main.hold(")
	close(held)
	held = make(chan struct{})
	waitFor(before - waiting)
	return "OK " + strconv.Itoa(waiting)
}

func callers([]string) string {
	var text []string
	for _, pc := range recorded {
		text = append(text, strconv.FormatUint(uint64(pc), 16))
	}
	return "OK " + strings.Join(text, " ")
}

// waitFor waits until no more goroutines are left: one is off the runtime's count only when all of
// its end is over.
func waitFor(count int) {
	for runtime.NumGoroutine() > count {
		time.Sleep(time.Millisecond)
	}
}

var swung chan struct{}

func swing([]string) string {
	if swung == nil {
		swung = make(chan struct{})
		go swinger()
	} else {
		swung <- struct{}{}
	}
	// Let it get to where it waits.
	time.Sleep(20 * time.Millisecond)
	return "OK"
}

func swinger() {
	for {
		here()
		there()
	}
}

// here and there are as large as each other on a stack, and wait on the same channel.
//
//go:noinline
func here() { <-swung }

//go:noinline
func there() { <-swung }

// pingpong parks as often as a program can.
func pingpong([]string) string {
	there, back := make(chan struct{}), make(chan struct{})
	go func() {
		for range there {
			back <- struct{}{}
		}
	}()
	go func() {
		for {
			there <- struct{}{}
			<-back
			passed.Add(1)
		}
	}()
	return "OK"
}

func passes([]string) string { return "OK passes=" + strconv.FormatInt(passed.Load(), 10) }

func goid() uint64 {
	text := make([]byte, 64)
	text = bytes.TrimPrefix(text[:runtime.Stack(text, false)], []byte("goroutine "))
	id, err := strconv.ParseUint(string(text[:bytes.IndexByte(text, ' ')]), 10, 64)
	if err != nil {
		panic(fmt.Sprintf("a goroutine without an id: %q", text))
	}
	return id
}

func number(args []string) (int, error) {
	return strconv.Atoi(strings.Join(args, " "))
}
