package main

import (
	"os"
	"reflect"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// stacks makes what the stacks of goroutines hold that will go on.
//
//go:noinline
func stacks() {
	on := func(name string, hold func(ch chan int)) {
		ch := make(chan int)
		go hold(ch)
		lives(name, func() { <-ch })
	}
	on("local", func(ch chan int) {
		time.Sleep(forever)
		close(ch)
	})
	on("deferred", func(ch chan int) {
		defer close(ch)
		time.Sleep(forever)
	})
	on("deferred-closure", func(ch chan int) {
		defer func() { close(ch) }()
		time.Sleep(forever)
	})
	on("deferred-in-loop", func(ch chan int) {
		for range [3]int{} {
			defer func() { ch <- 1 }()
		}
		time.Sleep(forever)
	})
	on("deferred-if", func(ch chan int) {
		if sink.Load() == 0 {
			defer func() { ch <- 1 }()
		}
		func() {
			for range [2]int{} {
				defer func() { sink.Add(1) }()
			}
			time.Sleep(forever)
		}()
	})
	on("panic", func(ch chan int) {
		defer func() { close(recover().(chan int)) }()
		defer func() { time.Sleep(forever) }()
		panic(ch)
	})
	on("fault", func(ch chan int) {
		var nowhere *linked
		defer func() {
			time.Sleep(forever)
			recover()
			close(ch)
		}()
		sink.Add(int64(nowhere.load[3]))
	})
	on("system-call", func(ch chan int) {
		var ends [2]int
		if syscall.Pipe(ends[:]) == nil {
			syscall.Read(ends[0], make([]byte, 1))
		}
		close(ch)
	})
	on("io", func(ch chan int) {
		from, to, _ := os.Pipe()
		from.Read(make([]byte, 1))
		to.Close()
		close(ch)
	})
	on("by-pointer", func(ch chan int) {
		it := tree{left: &tree{}, ch: ch}
		endLater(&it)
	})
	on("by-pointer-to-part", func(ch chan int) {
		var it struct {
			trees [10]tree
			load  [10]uint64
		}
		it.trees[3].ch = ch
		endLater(&it.trees[3])
	})
	on("big-frame", func(ch chan int) {
		var big [100000]*tree
		big[70000] = &tree{ch: ch}
		endOneLater(&big)
	})
	on("deep", func(ch chan int) { descend(300, ch) })
	on("argument", func(ch chan int) { manyArguments(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, ch) })
	on("variadic", func(ch chan int) { endAll(nil, ch) })
	on("made-function", func(ch chan int) {
		var call func(a, b, c, d, e, f, g, h, i, j, k chan int)
		made := reflect.MakeFunc(reflect.TypeOf(call), func(args []reflect.Value) []reflect.Value {
			time.Sleep(forever)
			return nil
		})
		call = made.Interface().(func(a, b, c, d, e, f, g, h, i, j, k chan int))
		call(nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, ch)
		close(ch)
	})
	on("method-by-reflection", func(ch chan int) {
		it := &tree{ch: ch}
		call := reflect.ValueOf(it).MethodByName("EndLater").Interface().(func(chan int, *tree))
		call(nil, it)
	})
	on("bound", func(ch chan int) {
		end := (&tree{ch: ch}).end
		time.Sleep(forever)
		end()
	})
	// A mutex whose holder is asleep.
	lock := new(sync.Mutex)
	lock.Lock()
	go func() {
		time.Sleep(forever)
		lock.Unlock()
	}()
	lives("held-mutex", lock.Lock)
	// A wait group that somebody will leave.
	group := new(sync.WaitGroup)
	group.Add(1)
	go func() {
		defer group.Done()
		time.Sleep(forever)
	}()
	lives("held-group", group.Wait)
	cond := sync.NewCond(new(sync.Mutex))
	go func() {
		time.Sleep(forever)
		cond.Broadcast()
	}()
	lives("held-cond", func() {
		cond.L.Lock()
		cond.Wait()
	})
	// What is no longer used holds nothing.
	dead := make(chan int)
	go func() {
		mention(dead)
		time.Sleep(forever)
	}()
	leaks("no-longer-used", func() { <-dead })
	part := &tree{ch: make(chan int)}
	go func(it *tree) {
		mention(it.ch)
		time.Sleep(forever)
	}(part)
	leaks("no-longer-used-part", func() { <-part.ch })
}

//go:noinline
func mention(ch chan int) { sink.Add(int64(cap(ch))) }

//go:noinline
func endLater(it *tree) {
	time.Sleep(forever)
	close(it.ch)
}

// EndLater is called by reflection.
//
//go:noinline
func (t *tree) EndLater(chan int, *tree) {
	time.Sleep(forever)
	close(t.ch)
}

//go:noinline
func endOneLater(of *[100000]*tree) {
	time.Sleep(forever)
	close(of[70000].ch)
}

//go:noinline
func descend(depth int, ch chan int) int {
	if depth == 0 {
		time.Sleep(forever)
		close(ch)
		return 0
	}
	return descend(depth-1, ch) + 1
}

//go:noinline
func manyArguments(a, b, c, d, e, f, g, h, i, j, k, l, m int, ch chan int) {
	time.Sleep(forever)
	sink.Add(int64(a + b + c + d + e + f + g + h + i + j + k + l + m))
	close(ch)
}

//go:noinline
func endAll(all ...chan int) {
	time.Sleep(forever)
	for _, ch := range all {
		close(ch)
	}
}

// busy runs a goroutine that holds a channel in a loop without a call.
//
//go:noinline
func busy() *atomic.Bool {
	var begun, stop atomic.Bool
	ch := make(chan int)
	go func() {
		begun.Store(true)
		spin(ch, &stop)
	}()
	lives("busy", func() { <-ch })
	return &begun
}

//go:noinline
func spin(ch chan int, stop *atomic.Bool) {
	for !stop.Load() {
	}
	close(ch)
}
