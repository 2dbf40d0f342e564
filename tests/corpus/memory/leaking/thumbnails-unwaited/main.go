// Command thumbnails-unwaited starts a program for each image and never waits for it.
package main

import (
	"os/exec"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func thumbnail() error {
	command := exec.Command("/bin/true")
	return command.Start() // want: resource likely kind=zombie pattern=linear
}

func main() {
	service.Run(func(request int) {
		if request%25 == 0 {
			if err := thumbnail(); err != nil {
				panic(err)
			}
		}
	})
}
