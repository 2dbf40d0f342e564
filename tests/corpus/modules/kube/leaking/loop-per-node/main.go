// Command loop-per-node does a node's chores again and again until a channel is closed, which nobody does
// when the node is gone. One chore waits for a report that does not come.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"k8s.io/apimachinery/pkg/util/wait"
)

type node struct{ reports, gone chan struct{} }

func (n *node) chores() {
	select { // want: select likely
	case <-n.reports:
	case <-n.gone:
	}
}

func start() *node {
	n := &node{make(chan struct{}), make(chan struct{})}
	go wait.Until(n.chores, 100*time.Millisecond, n.gone)
	return n
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		start()
	}
}
