package main

// leak is something of which objects are added, and taken back where the number goes down.
type leak struct {
	add, remove func() error
}

// leaks make each kind of leak. What has a size gets it.
var leaks = map[string]func(bytes int) (leak, error){
	"goroutine":  leakSenders,
	"select":     leakSelects,
	"mutex":      leakLocked,
	"context":    leakContexts,
	"busy":       leakLoops,
	"memory":     leakMemory,
	"cycle":      leakCycles,
	"network":    leakReaders,
	"connection": leakConnections,
	"file":       leakFiles,
}

// takesBack is whether the number of objects goes down too.
var takesBack bool

// stack is a list that objects are added to, and taken back from its end.
type stack[T any] struct {
	all []T
}

// hold keeps an object.
func (s *stack[T]) hold(one T) { s.all = append(s.all, one) }

// push keeps an object if it is taken back. Else nothing holds it but itself, as with most leaks.
func (s *stack[T]) push(one T) {
	if takesBack {
		s.hold(one)
	}
}

func (s *stack[T]) pop() T {
	var none T
	last := len(s.all) - 1
	one := s.all[last]
	s.all[last] = none
	s.all = s.all[:last]
	return one
}
