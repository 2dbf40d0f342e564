// Command never-unsubscribed tells dashboards about orders. A dashboard subscribes when it opens and
// never unsubscribes: the broker's list holds its channel, and its goroutine waits for orders.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type broker struct {
	mu          sync.Mutex
	subscribers []chan int
}

func (b *broker) subscribe() <-chan int {
	b.mu.Lock()
	defer b.mu.Unlock()
	orders := make(chan int, 8)
	b.subscribers = append(b.subscribers, orders)
	return orders
}

func (b *broker) publish(order int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, orders := range b.subscribers {
		select {
		case orders <- order:
		default:
		}
	}
}

type dashboard struct{ shown int }

func (d *dashboard) follow(orders <-chan int) {
	for order := range orders { // want: channel-receive likely pattern=unclosed-range
		d.shown = order
	}
}

func main() {
	b := new(broker)
	alive.Ready()
	for order := 0; ; order++ {
		d := new(dashboard)
		go d.follow(b.subscribe())
		if order%20 == 0 {
			b.publish(order)
		}
		time.Sleep(200 * time.Millisecond)
	}
}
