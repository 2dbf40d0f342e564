// Package service gives a program what a service has besides its mistake: what it loaded at its start,
// and requests, each of which allocates what is garbage when it is answered. A minute takes a second.
package service

import (
	"strings"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

// loaded is what the service needs for as long as it runs.
var loaded [][]byte

// Run loads 4 MiB and handles 50 requests a second, for ever.
func Run(handle func(request int)) { RunLoaded(4<<20, handle) }

// RunLoaded is Run with so many bytes loaded.
func RunLoaded(bytes int, handle func(request int)) {
	for ; bytes > 0; bytes -= 1 << 10 {
		loaded = append(loaded, make([]byte, 1<<10))
	}
	alive.Ready()
	request := 0
	for range time.Tick(20 * time.Millisecond) {
		answer()
		handle(request)
		request++
	}
}

// answer is what every request costs: 256 KiB that are garbage at its end.
func answer() int {
	var rows []string
	for range [64]struct{}{} {
		rows = append(rows, strings.Repeat("row ", 512))
	}
	return len(strings.Join(rows, "\n"))
}

// Bytes is a value of this size, none of it zero.
func Bytes(size int) []byte {
	value := make([]byte, size)
	for at := range value {
		value[at] = byte(at) | 1
	}
	return value
}
