// Command segments-mapped maps each segment of an index when it is read, and unmaps none when it is merged
// into a larger one.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"example.org/leak-agent/corpus/memory/internal/service"
)

const size = 16 << 10

var segments [][]byte

func open(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(size); err != nil {
		return err
	}
	segment, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ, syscall.MAP_SHARED) // want: resource likely kind=mapping pattern=linear
	segments = append(segments, segment)
	return err
}

func main() {
	folder, err := os.MkdirTemp("", "segments-mapped")
	if err != nil {
		panic(err)
	}
	service.Run(func(request int) {
		if request%15 != 0 {
			return
		}
		path := filepath.Join(folder, fmt.Sprintf("segment-%d", request))
		if err := open(path); err != nil {
			panic(err)
		}
		if err := os.Remove(path); err != nil {
			panic(err)
		}
	})
}
