// Command exports-open writes each export into a file of its own that is open for two minutes.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	folder, err := os.MkdirTemp("", "exports-open")
	if err != nil {
		panic(err)
	}
	service.Run(func(request int) {
		if request%5 != 0 {
			return
		}
		path := filepath.Join(folder, fmt.Sprintf("export-%d.csv", request))
		file, err := os.Create(path)
		if err != nil {
			panic(err)
		}
		os.Remove(path)
		time.AfterFunc(2*time.Second, func() { file.Close() })
	})
}
