// Command never-unsubscribed tells dashboards about orders. A dashboard that closes unsubscribes,
// which ends its goroutine.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type broker struct {
	mu          sync.Mutex
	subscribers map[chan int]bool
}

func (b *broker) subscribe() chan int {
	b.mu.Lock()
	defer b.mu.Unlock()
	orders := make(chan int, 8)
	b.subscribers[orders] = true
	return orders
}

func (b *broker) unsubscribe(orders chan int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.subscribers, orders)
	close(orders)
}

func (b *broker) publish(order int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for orders := range b.subscribers {
		select {
		case orders <- order:
		default:
		}
	}
}

type dashboard struct{ shown int }

func (d *dashboard) follow(orders <-chan int) {
	for order := range orders {
		d.shown = order
	}
}

func main() {
	b := &broker{subscribers: make(map[chan int]bool)}
	alive.Ready()
	for order := 0; ; order++ {
		d, orders := new(dashboard), b.subscribe()
		go d.follow(orders)
		time.AfterFunc(4*time.Second, func() { b.unsubscribe(orders) })
		if order%20 == 0 {
			b.publish(order)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
