// Command reports-kept keeps the last report alone: one replaces the other.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

var last [][]byte

func main() {
	service.Run(func(request int) {
		if request%350 == 349 {
			var tables [][]byte
			for i := 0; i < 600; i++ {
				tables = append(tables, service.Bytes(10<<10))
			}
			last = tables
		}
	})
}
