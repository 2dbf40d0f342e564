// Command missing-done sends newsletters in batches and waits for each. A bad address ends a delivery
// before its Done, so that one batch in five never ends.
package main

import (
	"strings"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type newsletter struct {
	mu   sync.Mutex
	sent int
}

func (n *newsletter) deliver(address string, left *sync.WaitGroup) {
	if !strings.Contains(address, "@") {
		return
	}
	n.mu.Lock()
	n.sent++
	n.mu.Unlock()
	left.Done()
}

func (n *newsletter) batch(addresses []string) {
	var left sync.WaitGroup
	left.Add(len(addresses))
	for _, address := range addresses {
		go n.deliver(address, &left)
	}
	left.Wait() // want: waitgroup likely pattern=add-done-mismatch
}

func main() {
	n := new(newsletter)
	good := []string{"ada@example.org", "bob@example.org", "cy@example.org"}
	bad := []string{"ada@example.org", "bob.example.org", "cy@example.org"}
	alive.Ready()
	for number := 1; ; number++ {
		addresses := good
		if number%5 == 0 {
			addresses = bad
		}
		go n.batch(addresses)
		time.Sleep(100 * time.Millisecond)
	}
}
