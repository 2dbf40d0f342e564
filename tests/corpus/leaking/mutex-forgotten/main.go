// Command mutex-forgotten migrated its schema under a lock at the start, which a failed migration kept.
// Three jobs want the schema; they wait, and nothing else ever asks for it.
package main

import (
	"errors"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type schema struct {
	mu      sync.Mutex
	version int
}

func (s *schema) migrate(to int) error {
	s.mu.Lock()
	if to > s.version+1 {
		return errors.New("a version was skipped")
	}
	s.version = to
	s.mu.Unlock()
	return nil
}

func (s *schema) export() int {
	s.mu.Lock() // want: mutex suspect pattern=lock-on-early-return
	defer s.mu.Unlock()
	return s.version
}

func main() {
	s := &schema{version: 3}
	s.migrate(7)
	for job := 0; job < 3; job++ {
		go s.export()
	}
	alive.Ready()
	for range time.Tick(time.Second) {
	}
}
