// Command never-collected has the collector off and no limit: it is started anew before memory is short.
package main

import (
	"runtime/debug"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	debug.SetGCPercent(-1)
	service.Run(func(int) {})
}
