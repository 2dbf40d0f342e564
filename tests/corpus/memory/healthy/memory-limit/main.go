// Command memory-limit has 40 MiB in use under a limit of 128 MiB, and GOGC so high that the limit decides.
package main

import (
	"runtime/debug"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	debug.SetGCPercent(1000)
	debug.SetMemoryLimit(128 << 20)
	service.RunLoaded(40<<20, func(int) {})
}
