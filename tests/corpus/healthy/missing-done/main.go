// Command missing-done sends newsletters in batches and waits for each. Every delivery is counted as
// done, however it ends.
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
	defer left.Done()
	if !strings.Contains(address, "@") {
		return
	}
	n.mu.Lock()
	n.sent++
	n.mu.Unlock()
}

func (n *newsletter) batch(addresses []string) {
	var left sync.WaitGroup
	left.Add(len(addresses))
	for _, address := range addresses {
		go n.deliver(address, &left)
	}
	left.Wait()
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
