// Command hosts-open reads the table of hosts for each lookup and closes it on no path. No finalizer does,
// since what was read is kept with its file.
package main

import (
	"io"
	"os"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type table struct {
	file  *os.File
	names []byte
}

var tables = map[int]table{}

func lookup(number int) error {
	file, err := os.Open("/etc/hosts") // want: resource likely kind=file pattern=linear
	if err != nil {
		return err
	}
	names, err := io.ReadAll(file)
	tables[number] = table{file, names}
	return err
}

func main() {
	service.Run(func(request int) {
		if request%25 == 0 {
			if err := lookup(request); err != nil {
				panic(err)
			}
		}
	})
}
