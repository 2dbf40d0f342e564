// Command headers-of-images keeps the first 64 bytes of each image, in an array of their own.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

var known [][]byte

func main() {
	service.Run(func(request int) {
		if request%4 == 0 {
			image := service.Bytes(100 << 10)
			known = append(known, append([]byte(nil), image[:64]...))
		}
	})
}
