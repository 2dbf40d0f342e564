// Command thumbnails-unwaited starts a program for each image and waits for it.
package main

import (
	"os/exec"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	service.Run(func(request int) {
		if request%25 == 0 {
			go exec.Command("/bin/true").Run()
		}
	})
}
