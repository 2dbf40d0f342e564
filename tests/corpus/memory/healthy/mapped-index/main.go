// Command mapped-index maps a file of 64 MiB and reads it from its beginning to its end, again and again: more and
// more of it is resident, up to all.
package main

import (
	"os"
	"syscall"

	"example.org/leak-agent/corpus/memory/internal/service"
)

const size = 64 << 20

func main() {
	file, err := os.CreateTemp("", "mapped-index")
	if err != nil {
		panic(err)
	}
	os.Remove(file.Name())
	if err := file.Truncate(size); err != nil {
		panic(err)
	}
	index, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	at, sum := 0, 0
	service.Run(func(int) {
		for page := 0; page < 16; page++ {
			sum += int(index[at])
			at = (at + 4096) % size
		}
	})
}
