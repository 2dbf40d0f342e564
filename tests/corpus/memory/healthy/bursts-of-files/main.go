// Command bursts-of-files rotates its logs every few minutes, all of them at once: a new file each, and the
// one before is closed.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var logs [12]*os.File

func rotate(folder string, generation int) error {
	for tenant, before := range logs {
		path := filepath.Join(folder, fmt.Sprintf("tenant-%d.log.%d", tenant, generation))
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		os.Remove(path)
		if before != nil {
			before.Close()
		}
		logs[tenant] = file
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
