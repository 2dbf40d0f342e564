// Command generic-queue puts measurements and alarms into queues of one generic type. The queues'
// consumer takes measurements only while its sensor is switched on.
package main

import (
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type queue[T any] struct {
	items chan T
	put   atomic.Int64
}

func newQueue[T any](size int) *queue[T] {
	return &queue[T]{items: make(chan T, size)}
}

//go:noinline
func (q *queue[T]) push(item T) {
	q.items <- item // want: channel-send likely pattern=blocked-producer
	q.put.Add(1)
}

func each[T any](q *queue[T], n int, handle func(T)) {
	for i := 0; i < n; i++ {
		handle(<-q.items)
	}
}

type measurement struct{ celsius float64 }

type alarm struct {
	text  string
	since time.Time
}

func main() {
	measurements, alarms := newQueue[measurement](16), newQueue[alarm](4)
	go each(measurements, 10, func(measurement) {})
	go each(alarms, 2, func(alarm) {})
	alive.Ready()
	for n := 0; ; n++ {
		go measurements.push(measurement{celsius: float64(n % 30)})
		if n%4 == 0 {
			go alarms.push(alarm{text: "frost", since: time.Now()})
		}
		time.Sleep(125 * time.Millisecond)
	}
}
