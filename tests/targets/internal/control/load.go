package control

import (
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var (
	spawned  atomic.Int64
	spawnsOn = make(chan struct{})
	spinners []chan struct{}
	churners []chan struct{}
)

func spawn(args []string) string {
	if len(args) != 2 {
		return "ERR usage: spawn N DEPTH"
	}
	count, badCount := strconv.Atoi(args[0])
	depth, badDepth := strconv.Atoi(args[1])
	if badCount != nil || badDepth != nil || count < 0 || depth < 0 {
		return "ERR spawn wants two numbers"
	}
	goal := spawned.Load() + int64(count)
	for i := 0; i < count; i++ {
		go descend(depth)
	}
	for spawned.Load() < goal {
		time.Sleep(time.Millisecond)
	}
	// The counter rises just before a goroutine parks: let the last ones do it.
	time.Sleep(20 * time.Millisecond)
	return "OK " + strconv.FormatInt(goal, 10)
}

//go:noinline
func descend(depth int) int {
	if depth > 0 {
		return descend(depth-1) + 1
	}
	spawned.Add(1)
	<-spawnsOn
	return 0
}

func spin(args []string) string {
	if len(args) != 1 {
		return "ERR usage: spin N"
	}
	want, err := strconv.Atoi(args[0])
	if err != nil || want < 0 {
		return "ERR spin wants a number"
	}
	for len(spinners) > want {
		last := len(spinners) - 1
		close(spinners[last])
		spinners = spinners[:last]
	}
	for len(spinners) < want {
		stop := make(chan struct{})
		spinners = append(spinners, stop)
		go busy(stop)
	}
	return "OK"
}

func busy(stop <-chan struct{}) {
	for n := uint64(1); ; n = n*6364136223846793005 + 1 {
		if n&0xfffff == 0 {
			select {
			case <-stop:
				return
			default:
			}
		}
	}
}

func churn(args []string) string {
	switch {
	case len(args) == 1 && args[0] == "on":
		for len(churners) < 2 {
			stop := make(chan struct{})
			churners = append(churners, stop)
			go churnUntil(stop)
		}
		return "OK"
	case len(args) == 1 && args[0] == "off":
		for _, stop := range churners {
			stop <- struct{}{}
		}
		churners = nil
		return "OK"
	}
	return "ERR usage: churn on|off"
}

// churnUntil makes rounds of goroutines that park at different depths, are woken one by one, and
// exit. Their g structs are used again at once, so a reader sees many changes of identity.
func churnUntil(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		const round = 64
		var done sync.WaitGroup
		baton := make(chan int)
		done.Add(round)
		for i := 0; i < round; i++ {
			go churnOne(i%8, baton, &done)
		}
		for i := 0; i < round; i++ {
			baton <- i
		}
		done.Wait()
		runtime.Gosched()
	}
}

//go:noinline
func churnOne(depth int, baton <-chan int, done *sync.WaitGroup) int {
	if depth > 0 {
		return churnOne(depth-1, baton, done) + 1
	}
	defer done.Done()
	return <-baton
}
