package main

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"
)

// never is what goroutines wait on that are not leaked: main can always reach it.
var never = make(chan int)

func startStates() {
	go send(make(chan int))
	go receive(make(chan int))
	for i := 0; i < 3; i++ {
		go receiveNever()
	}
	go sendNil()
	go receiveNil()
	go selectTwo(make(chan int))
	go emptySelect()

	held := new(sync.Mutex)
	held.Lock()
	go lock(held)
	written, read := new(sync.RWMutex), new(sync.RWMutex)
	written.Lock()
	go readLock(written)
	read.RLock()
	go writeLock(read)
	go waitForCondition(sync.NewCond(new(sync.Mutex)))
	group := new(sync.WaitGroup)
	group.Add(1)
	go waitForGroup(group)

	go sleep()
	polled, end, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	keep = append(keep, held, written, read, group, end)
	go readFile(polled)
	var raw [2]int
	if err := syscall.Pipe(raw[:]); err != nil {
		panic(err)
	}
	go readRaw(raw[0])
	go locked()

	labels := pprof.Labels("job", "a/b", "k 2", "v \"x\"\n")
	pprof.Do(context.Background(), labels, func(context.Context) {
		go labelled()
	})
	go generic(map[string]int{})
	go (&worker[int]{}).wait(1, "two", []byte("three"), 4, 5, 6, 7)
	go deep(150)
	go inlined()
	go panicking()
	go byClosure()()
}

// keep is what must stay alive.
var keep []any

func send(to chan<- int)      { to <- 1 }
func receive(from <-chan int) { <-from }
func receiveNever()           { <-never }

func sendNil() {
	var to chan int
	to <- 1
}

func receiveNil() {
	var from chan int
	<-from
}

func selectTwo(from <-chan int) {
	select {
	case <-from:
	case <-never:
	}
}

func emptySelect() { select {} }

func lock(mu *sync.Mutex)                { mu.Lock() }
func readLock(mu *sync.RWMutex)          { mu.RLock() }
func writeLock(mu *sync.RWMutex)         { mu.Lock() }
func waitForGroup(group *sync.WaitGroup) { group.Wait() }

func waitForCondition(ready *sync.Cond) {
	ready.L.Lock()
	ready.Wait()
}

func sleep() { time.Sleep(1000 * time.Hour) }

func readFile(file *os.File) {
	var buf [16]byte
	file.Read(buf[:])
}

func readRaw(fd int) {
	var buf [16]byte
	syscall.Read(fd, buf[:])
}

func locked() {
	runtime.LockOSThread()
	<-never
}

func labelled() { <-never }

//go:noinline
func generic[K comparable, V any](m map[K]V) int { return <-never + len(m) }

type worker[T any] struct{ items []T }

//go:noinline
func (w *worker[T]) wait(a int, b string, c []byte, d, e, f, g int) int {
	return <-never + a + len(b) + len(c) + d + e + f + g + len(w.items)
}

//go:noinline
func deep(depth int) int {
	if depth > 0 {
		return deep(depth-1) + 1
	}
	return <-never
}

func inlined() int { return outer(1) + 1 }

func outer(n int) int { return inner(n*2) + 1 }

func inner(n int) int { return <-never + n }

func panicking() {
	defer func() { <-never }()
	panic("in flight")
}

func byClosure() func() {
	from := never
	return func() { <-from }
}
