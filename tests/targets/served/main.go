// Command served has goroutines of each kind that stand still, and serves its own net/http/pprof.
//
//	address        OK and where it listens
//
// The main goroutine serves package control's commands.
package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

type list[T any] struct{ items chan T }

func (l *list[T]) push(item T) { l.items <- item }

func send[T any](items chan T, item T) { items <- item }

type worker struct{ wait sync.WaitGroup }

func (w *worker) run(done chan struct{}) { <-done }

func inlined(c chan int) int { return <-c }

func deep(depth int, c chan int) int {
	if depth == 0 {
		return inlined(c)
	}
	return deep(depth-1, c) + 1
}

func locked(c chan int) {
	runtime.LockOSThread()
	inlined(c)
}

func main() {
	var mutex sync.Mutex
	var rw sync.RWMutex
	var group sync.WaitGroup
	cond := sync.NewCond(&sync.Mutex{})
	never, done := make(chan int), make(chan struct{})
	mutex.Lock()
	rw.Lock()
	group.Add(1)
	for i := 0; i < 3; i++ {
		go send(make(chan string), "x")
	}
	go (&list[int]{make(chan int)}).push(7)
	go func() { mutex.Lock() }()
	go func() { rw.RLock() }()
	go group.Wait()
	go func() { cond.L.Lock(); cond.Wait() }()
	go func() { select {} }()
	go func() {
		select {
		case <-never:
		case <-done:
		}
	}()
	go func() { var c chan int; c <- 1 }()
	go time.Sleep(time.Hour)
	w := &worker{}
	run := w.run
	go run(done)
	go deep(10, never)
	go deep(150, never)
	go locked(never)
	labels := pprof.Labels("job", "a b", "kind", "x/y")
	go pprof.Do(context.Background(), labels, func(context.Context) { inlined(never) })
	go func() {
		defer func() { recover(); inlined(never) }()
		panic("on purpose")
	}()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go http.Serve(listener, nil)
	control.Serve(map[string]control.Command{
		"address": func([]string) string { return fmt.Sprint("OK ", listener.Addr()) },
	})
}
