// Command quiet-collector allocates little, all of it garbage: the heap rises for a long time before it is
// collected.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/memory/internal/service"
)

var loaded []byte

func main() {
	loaded = service.Bytes(24 << 20)
	alive.Ready()
	for range time.Tick(10 * time.Millisecond) {
		_ = service.Bytes(8 << 10)
	}
}
