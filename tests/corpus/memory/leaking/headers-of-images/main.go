// Command headers-of-images keeps the first 64 bytes of each image that it is sent, as a part of the slice
// with all of it.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

type index struct{ headers [][]byte }

var known index

func (x *index) add(image []byte) {
	x.headers = append(x.headers, image[:64]) // want: heap-growth likely pattern=linear held=main.known
}

func main() {
	service.Run(func(request int) {
		if request%4 == 0 {
			known.add(service.Bytes(100 << 10))
		}
	})
}
