// Command sockets-in-pairs has a pair of Unix sockets for each plugin call, as descriptors that the runtime
// does not know of, and closes one of them.
package main

import (
	"syscall"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func call() error {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0) // want: resource likely kind=unix-socket pattern=linear
	if err != nil {
		return err
	}
	return syscall.Close(pair[0])
}

func main() {
	service.Run(func(request int) {
		if request%25 == 0 {
			if err := call(); err != nil {
				panic(err)
			}
		}
	})
}
