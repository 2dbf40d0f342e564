// Command images-in-c hands images to a library in C, which takes memory of its own for each and gives it
// back.
package main

// #include <stdlib.h>
// #include <string.h>
// static void *load(size_t size) { void *image = malloc(size); if (image) memset(image, 7, size); return image; }
import "C"

import "example.org/leak-agent/corpus/memory/internal/service"

func main() {
	service.Run(func(int) {
		image := C.load(48 << 10)
		defer C.free(image)
	})
}
