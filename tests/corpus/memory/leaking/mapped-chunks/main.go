// Command mapped-chunks maps memory for each chunk that it is sent, and unmaps none.
package main

import (
	"syscall"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func store(chunk []byte) error {
	memory, err := syscall.Mmap(-1, 0, len(chunk), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE) // want: off-heap-growth likely pattern=linear
	if err != nil {
		return err
	}
	copy(memory, chunk)
	return nil
}

// may: resource kind=mapping

func main() {
	chunk := service.Bytes(256 << 10)
	service.Run(func(request int) {
		if request%10 == 0 {
			if err := store(chunk); err != nil {
				panic(err)
			}
		}
	})
}
