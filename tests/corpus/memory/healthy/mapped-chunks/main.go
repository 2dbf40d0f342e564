// Command mapped-chunks maps memory for each chunk that it is sent, and unmaps it when the next one comes.
package main

import (
	"syscall"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var mapped []byte

func store(chunk []byte) error {
	if mapped != nil {
		if err := syscall.Munmap(mapped); err != nil {
			return err
		}
	}
	var err error
	mapped, err = syscall.Mmap(-1, 0, len(chunk), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	copy(mapped, chunk)
	return err
}

func main() {
	chunk := service.Bytes(2 << 20)
	service.Run(func(request int) {
		if request%10 == 0 {
			if err := store(chunk); err != nil {
				panic(err)
			}
		}
	})
}
