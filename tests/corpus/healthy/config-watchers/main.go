// Command config-watchers has ten parts that wait for changed settings, and a version number to wait
// for with a condition. Settings change once a minute.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type settings struct {
	mu      sync.RWMutex
	changed *sync.Cond
	version int
}

func newSettings() *settings {
	s := new(settings)
	s.changed = sync.NewCond(s.mu.RLocker())
	return s
}

func (s *settings) after(version int) int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for s.version <= version {
		s.changed.Wait()
	}
	return s.version
}

func (s *settings) change() {
	s.mu.Lock()
	s.version++
	s.mu.Unlock()
	s.changed.Broadcast()
}

func watch(s *settings) {
	for version := 0; ; {
		version = s.after(version)
	}
}

func main() {
	s := newSettings()
	for part := 0; part < 10; part++ {
		go watch(s)
	}
	alive.Ready()
	for range time.Tick(time.Minute) {
		s.change()
	}
}
