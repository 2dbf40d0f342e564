// Command quiet-collector allocates little but what it leaks: there is hardly a collection a minute.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/memory/internal/service"
)

type reading struct{ values []byte }

type collector struct{ readings []*reading }

var sensors = new(collector)

func main() {
	alive.Ready()
	for range time.Tick(10 * time.Millisecond) {
		sensors.readings = append(sensors.readings, &reading{service.Bytes(20 << 10)}) // want: heap-growth likely held=main.sensors
	}
}
