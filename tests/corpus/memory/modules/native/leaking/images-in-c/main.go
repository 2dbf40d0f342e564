// Command images-in-c hands images to a library in C, which takes memory of its own for each. Errors on the
// way return before it is freed.
package main

// #include <stdlib.h>
// #include <string.h>
// static void *load(size_t size) { void *image = malloc(size); if (image) memset(image, 7, size); return image; }
import "C"

import "example.org/leak-agent/corpus/memory/internal/service"

func scale(request int) bool {
	image := C.load(48 << 10) // want: off-heap-growth likely pattern=linear
	if request%2 == 0 {
		return false
	}
	C.free(image)
	return true
}

// may: resource kind=mapping

func main() { service.Run(func(request int) { scale(request) }) }
