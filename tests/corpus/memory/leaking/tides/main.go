// Command tides has a load that rises and falls with the day, and keeps a little of every request.
package main

import (
	"math"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var (
	kept   [][]byte
	active [][]byte
)

func main() {
	service.Run(func(request int) {
		// A day takes eight seconds: between 0 and 8 MiB are in use.
		load := int(400 * (1 - math.Cos(float64(request)*2*math.Pi/400)))
		for len(active) < load {
			active = append(active, service.Bytes(10<<10))
		}
		active = append([][]byte(nil), active[:load]...)
		kept = append(kept, service.Bytes(24<<10)) // want: heap-growth likely held=main.kept
	})
}
