// Command no-collector has the collector off (GOGC=off) until a memory limit is near.
package main

import (
	"runtime/debug"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(128 << 20)
	service.Run(func(int) {})
}
