// Command again leaks goroutines, and executes itself, or another program, anew: the same process with
// the same id and start time, but another program.
//
//	leak N      N goroutines a second that stay, from now on
//	again       executes itself anew, with the arguments that it has; says READY again
//	again PATH  the same with another executable
//
// With an argument N it leaks N a second from its start. The other commands are package control's.
package main

import (
	"os"
	"strconv"
	"syscall"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

func main() {
	if len(os.Args) > 1 {
		leak(os.Args[1:])
	}
	control.ServeQuick(map[string]control.Command{"leak": leak, "again": again})
}

func leak(args []string) string {
	if len(args) != 1 {
		return "ERR leak wants a number"
	}
	perSecond, err := strconv.Atoi(args[0])
	if err != nil || perSecond <= 0 {
		return "ERR leak wants a number"
	}
	go forget(time.Second / time.Duration(perSecond))
	return "OK"
}

//go:noinline
func forget(pace time.Duration) {
	results := make(chan int)
	for range time.Tick(pace) {
		go deliver(results)
	}
}

// deliver sends what nobody receives.
//
//go:noinline
func deliver(results chan<- int) { results <- 1 }

func again(args []string) string {
	path := "/proc/self/exe"
	if len(args) > 0 {
		path = args[0]
	}
	err := syscall.Exec(path, os.Args, os.Environ())
	return "ERR cannot execute " + path + ": " + err.Error()
}
