// Command pipes-kept makes a pipe for each conversion and closes one of its ends.
package main

import (
	"os"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type conversion struct{ output *os.File }

var done []conversion

func convert() error {
	read, write, err := os.Pipe() // want: resource likely kind=pipe pattern=linear
	if err != nil {
		return err
	}
	done = append(done, conversion{read})
	if _, err := write.WriteString("converted"); err != nil {
		return err
	}
	return write.Close()
}

func main() {
	service.Run(func(request int) {
		if request%15 == 0 {
			if err := convert(); err != nil {
				panic(err)
			}
		}
	})
}
