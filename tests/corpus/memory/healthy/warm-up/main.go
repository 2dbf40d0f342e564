// Command warm-up fills a cache for its first eighteen minutes, until it has everything.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

var cache = map[int][]byte{}

func main() {
	service.Run(func(request int) {
		if key := request % 900; cache[key] == nil {
			cache[key] = service.Bytes(32 << 10)
		}
	})
}
