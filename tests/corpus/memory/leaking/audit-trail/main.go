// Command audit-trail keeps an entry for each request in a slice that nobody ever cuts.
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
		trail = append(trail, entry{request, service.Bytes(6 << 10), service.Bytes(8 << 10)}) // want: heap-growth likely pattern=linear held=main.trail
	})
}
