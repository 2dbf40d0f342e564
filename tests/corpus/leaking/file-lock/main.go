// Command file-lock guards a spool file with a lock. A cleaner that crashed left it open and locked;
// whoever wants it waits in the kernel, with a thread each.
package main

import (
	"fmt"
	"os"
	"syscall"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type spool struct{ path string }

func (s *spool) lock() (*os.File, error) {
	file, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	return file, syscall.Flock(int(file.Fd()), syscall.LOCK_EX) // want: syscall-or-cgo likely
}

func (s *spool) clean() {
	if file, err := s.lock(); err == nil {
		file.Close()
	}
}

func main() {
	file, err := os.CreateTemp("", "spool-*.lock")
	if err != nil {
		panic(err)
	}
	// Nothing shall be left when the process ends: the file has a name only within it.
	os.Remove(file.Name())
	s := &spool{path: fmt.Sprintf("/proc/self/fd/%d", file.Fd())}
	crashed, err := s.lock()
	if err != nil {
		panic(err)
	}
	defer crashed.Close()
	alive.Ready()
	for range time.Tick(2 * time.Second) {
		go s.clean()
	}
}
