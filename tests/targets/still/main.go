// Command still does what an agent that stops it for a proof could break, and keeps count, so that it would show:
//
//	messages  numbered, through two goroutines and back: none may be lost
//	signals   sent to itself, each waited for: none may be lost
//	timers    of a millisecond, one after the other
//	network   a TCP connection to itself, that is opened, used, closed, and seen closed by the other side
//	children  programs (itself) that are started, say something and end well
//	garbage   collected, with what is kept checked
//
// `alive` answers OK and one counter a part, or BAD and what was found wrong. `listen` answers with an address on
// which connections stay open until `hangup` closes them. `exec` makes it itself anew. With the argument `child` it is such
// a program.
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "child" {
		fmt.Println("child")
		return
	}
	go messages(part("messages"))
	go signals(part("signals"))
	go timers(part("timers"))
	go network(part("network"))
	go children(part("children"))
	go garbage(part("garbage"))
	control.ServeQuick(map[string]control.Command{
		"alive": alive, "listen": listen, "hangup": hangup, "exec": execute,
	})
}

var (
	parts  = map[string]*atomic.Int64{}
	faults struct {
		sync.Mutex
		first string
	}
)

// part names one thing that goes on, and hands out its counter. Only main's start calls it.
func part(name string) *atomic.Int64 {
	counter := new(atomic.Int64)
	parts[name] = counter
	return counter
}

// wrong keeps the first thing that was found wrong.
func wrong(format string, args ...any) {
	faults.Lock()
	defer faults.Unlock()
	if faults.first == "" {
		faults.first = fmt.Sprintf(format, args...)
	}
}

func alive([]string) string {
	faults.Lock()
	defer faults.Unlock()
	if faults.first != "" {
		return "BAD " + strings.ReplaceAll(faults.first, "\n", " ")
	}
	var counts []string
	for name, counter := range parts {
		counts = append(counts, fmt.Sprintf("%s=%d", name, counter.Load()))
	}
	sort.Strings(counts)
	return "OK " + strings.Join(counts, " ")
}

func messages(passed *atomic.Int64) {
	there, back := make(chan int64), make(chan int64)
	go func() {
		for number := range there {
			back <- number + 1
		}
	}()
	for number := int64(0); ; number++ {
		there <- number
		if got := <-back; got != number+1 {
			wrong("message %d came back as %d", number, got)
			return
		}
		passed.Add(1)
		if number%64 == 0 {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// From when a signal is sent until it is received.
var signalUnderWay sync.Mutex

func signals(received *atomic.Int64) {
	arrived := make(chan os.Signal, 1)
	signal.Notify(arrived, syscall.SIGUSR1)
	for {
		signalUnderWay.Lock()
		if err := syscall.Kill(syscall.Getpid(), syscall.SIGUSR1); err != nil {
			wrong("kill: %v", err)
			return
		}
		select {
		case <-arrived:
			received.Add(1)
		case <-time.After(30 * time.Second):
			wrong("a signal was lost")
			return
		}
		signalUnderWay.Unlock()
		time.Sleep(200 * time.Microsecond)
	}
}

func timers(fired *atomic.Int64) {
	for {
		before := time.Now()
		<-time.After(time.Millisecond)
		if time.Since(before) < time.Millisecond {
			wrong("a timer was early")
			return
		}
		fired.Add(1)
	}
}

func network(closed *atomic.Int64) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		wrong("listen: %v", err)
		return
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				wrong("accept: %v", err)
				return
			}
			go func() {
				defer conn.Close()
				if text, err := io.ReadAll(conn); err != nil || string(text) != "hello" {
					wrong("the other side read %q: %v", text, err)
				}
			}()
		}
	}()
	for {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			wrong("dial: %v", err)
			return
		}
		io.WriteString(conn, "hello")
		conn.(*net.TCPConn).CloseWrite()
		// The other side has read to the end, and closed.
		if rest, err := io.ReadAll(conn); err != nil || len(rest) != 0 {
			wrong("this side read %q: %v", rest, err)
			return
		}
		conn.Close()
		closed.Add(1)
		time.Sleep(time.Millisecond)
	}
}

func children(ended *atomic.Int64) {
	for {
		out, err := exec.Command("/proc/self/exe", "child").Output()
		if err != nil || string(out) != "child\n" {
			wrong("a child said %q: %v", out, err)
			return
		}
		ended.Add(1)
		time.Sleep(5 * time.Millisecond)
	}
}

type tree struct {
	left, right *tree
	value       int
}

func grow(depth int) *tree {
	if depth == 0 {
		return &tree{value: 1}
	}
	return &tree{left: grow(depth - 1), right: grow(depth - 1), value: 1}
}

func (t *tree) sum() int {
	if t == nil {
		return 0
	}
	return t.value + t.left.sum() + t.right.sum()
}

func garbage(collected *atomic.Int64) {
	kept := grow(12)
	for {
		if sum := grow(10).sum(); sum != 1<<11-1 {
			wrong("a new tree has %d nodes", sum)
		}
		if collected.Load()%50 == 0 {
			runtime.GC()
		}
		if sum := kept.sum(); sum != 1<<13-1 {
			wrong("a kept tree has %d nodes", sum)
			return
		}
		collected.Add(1)
		time.Sleep(time.Millisecond)
	}
}

var open struct {
	sync.Mutex
	conns []net.Conn
}

func listen([]string) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "ERR " + err.Error()
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "hello")
			open.Lock()
			open.conns = append(open.conns, conn)
			open.Unlock()
		}
	}()
	return "OK " + listener.Addr().String()
}

func hangup([]string) string {
	open.Lock()
	defer open.Unlock()
	for _, conn := range open.conns {
		conn.Close()
	}
	count := len(open.conns)
	open.conns = nil
	return fmt.Sprintf("OK %d", count)
}

func execute([]string) string {
	// One that is pending would end the new program; and Go ends the old one, if it ignores a signal while a thread is about to
	// handle it (sigfwdgo).
	signalUnderWay.Lock()
	return "ERR " + syscall.Exec("/proc/self/exe", os.Args, os.Environ()).Error()
}
