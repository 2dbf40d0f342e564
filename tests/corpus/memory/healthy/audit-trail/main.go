// Command audit-trail keeps the entries of the last thousand requests and writes out those before.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

type entry struct {
	request int
	before  []byte
	after   []byte
}

var trail []entry

func main() {
	service.Run(func(request int) {
		trail = append(trail, entry{request, service.Bytes(6 << 10), service.Bytes(8 << 10)})
		if len(trail) == 600 {
			// What is left moves to an array of its own.
			trail = append([]entry(nil), trail[300:]...)
		}
	})
}
