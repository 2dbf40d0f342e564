// Command loop-per-node does a node's chores again and again until a channel is closed, when the node goes
// after two seconds. Twenty nodes stay.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"k8s.io/apimachinery/pkg/util/wait"
)

type node struct{ reports, gone chan struct{} }

func (n *node) chores() {
	select {
	case <-n.reports:
	case <-n.gone:
	}
}

func start() *node {
	n := &node{make(chan struct{}), make(chan struct{})}
	go wait.Until(n.chores, 100*time.Millisecond, n.gone)
	return n
}

var nodes []*node

func main() {
	for i := 0; i < 20; i++ {
		nodes = append(nodes, start())
	}
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		n := start()
		time.AfterFunc(2*time.Second, func() { close(n.gone) })
	}
}
