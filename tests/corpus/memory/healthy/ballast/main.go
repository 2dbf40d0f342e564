// Command ballast has 128 MiB that it never touches, so that collections are few.
package main

import (
	"runtime"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	ballast := make([]byte, 128<<20)
	service.Run(func(int) { runtime.KeepAlive(ballast) })
}
