// Command startup-load is ready at once and loads 96 MiB in its first four minutes.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

var table [][]byte

func main() {
	service.Run(func(request int) {
		for i := 0; i < 32 && len(table) < 6<<10; i++ {
			table = append(table, service.Bytes(16<<10))
		}
	})
}
