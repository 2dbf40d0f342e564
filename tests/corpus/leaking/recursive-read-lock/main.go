// Command recursive-read-lock reads its settings under a read lock, and one setting refers to another,
// which is read under the lock again. A writer came in between, and since then nobody gets in.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type settings struct {
	mu     sync.RWMutex
	values map[string]string
}

func (s *settings) get(name string) string {
	s.mu.RLock() // want: rwmutex likely
	defer s.mu.RUnlock()
	return s.values[name]
}

// resolve follows a setting that names another one.
func (s *settings) resolve(name string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	target := s.values[name]
	time.Sleep(50 * time.Millisecond)
	return s.follow(target)
}

func (s *settings) follow(name string) string {
	s.mu.RLock() // want: deadlock-cycle likely
	defer s.mu.RUnlock()
	return s.values[name]
}

func (s *settings) set(name, value string) {
	s.mu.Lock() // want: deadlock-cycle likely
	defer s.mu.Unlock()
	s.values[name] = value
}

func main() {
	s := &settings{values: map[string]string{"theme": "night", "night": "#000"}}
	go s.resolve("theme")
	time.Sleep(10 * time.Millisecond)
	go s.set("night", "#111")
	time.Sleep(10 * time.Millisecond)
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		go s.get("theme")
	}
}
