// Command backlog-only-grows has a ring that becomes larger when it is full, and a consumer that is
// faster than those who fill it, but comes once in five minutes.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

var backlog [][]byte

func main() {
	service.Run(func(request int) {
		backlog = append(backlog, service.Bytes(32<<10))
		if request%250 == 249 {
			backlog = nil
		}
	})
}
