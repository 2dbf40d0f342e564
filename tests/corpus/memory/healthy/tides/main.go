// Command tides has a load that rises and falls with the day.
package main

import (
	"math"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var active [][]byte

func main() {
	service.Run(func(request int) {
		// A day takes twelve seconds: between 0 and 24 MiB are in use.
		load := int(1200 * (1 - math.Cos(float64(request)*2*math.Pi/600)))
		for len(active) < load {
			active = append(active, service.Bytes(10<<10))
		}
		active = append([][]byte(nil), active[:load]...)
	})
}
