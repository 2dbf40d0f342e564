package main

import (
	"os"
	"os/signal"
	"strings"
	"sync/atomic"
	"syscall"
)

func startFaults() {
	go panics(part("panics"))
	go signals(part("signals"))
}

// panics raises faults of each kind and recovers them, one at a time.
func panics(recovered *atomic.Int64) {
	var nothing *tree
	var table []int
	var kinds = []struct {
		says  string
		cause func()
	}{
		{"nil pointer dereference", func() { nothing.value++ }},
		{"index out of range", func() { table[3] = 1 }},
		{"divide by zero", func() { table = table[:1/len(table)] }},
		{"by hand", func() { panic("by hand") }},
		{"nil map", func() { map[string]int(nil)["a"] = 1 }},
	}
	for i := 0; ; i++ {
		kind := kinds[i%len(kinds)]
		if said := recoverFrom(kind.cause, i%20); !strings.Contains(said, kind.says) {
			wrong("a panic said %q in place of %q", said, kind.says)
			return
		}
		recovered.Add(1)
	}
}

func recoverFrom(cause func(), depth int) (said string) {
	unwound := 0
	defer func() {
		switch reason := recover().(type) {
		case error:
			said = reason.Error()
		case string:
			said = reason
		}
		if unwound != depth {
			wrong("a panic ran %d deferred calls in place of %d", unwound, depth)
		}
	}()
	deferAt(depth, &unwound, cause)
	return "nothing"
}

//go:noinline
func deferAt(depth int, unwound *int, cause func()) {
	if depth == 0 {
		cause()
		return
	}
	defer func() { *unwound++ }()
	deferAt(depth-1, unwound, cause)
}

// signals sends itself one after the other and waits for each.
func signals(received *atomic.Int64) {
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, syscall.SIGUSR1)
	for {
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGUSR1); err != nil {
			wrong("kill: %v", err)
			return
		}
		<-arrived
		received.Add(1)
	}
}
