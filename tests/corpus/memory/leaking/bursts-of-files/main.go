// Command bursts-of-files rotates its logs every few minutes, all of them at once, and closes none.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var logs []*os.File

func rotate(folder string, generation int) error {
	for tenant := 0; tenant < 12; tenant++ {
		path := filepath.Join(folder, fmt.Sprintf("tenant-%d.log.%d", tenant, generation))
		file, err := os.Create(path) // want: resource likely kind=file pattern=stepped
		if err != nil {
			return err
		}
		logs = append(logs, file)
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

func main() {
	folder, err := os.MkdirTemp("", "bursts-of-files")
	if err != nil {
		panic(err)
	}
	service.Run(func(request int) {
		if request%200 == 0 {
			if err := rotate(folder, request/200); err != nil {
				panic(err)
			}
		}
	})
}
