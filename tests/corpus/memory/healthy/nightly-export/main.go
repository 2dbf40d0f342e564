// Command nightly-export needs 64 MiB at once every ten minutes, for a moment.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

func main() {
	service.Run(func(request int) {
		if request%500 == 250 {
			export := service.Bytes(64 << 20)
			_ = export[request]
		}
	})
}
