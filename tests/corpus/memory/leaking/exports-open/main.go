// Command exports-open writes each export into a file of its own and keeps the file with the job, open.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type job struct{ file *os.File }

var jobs []job

func export(folder string, number int) error {
	path := filepath.Join(folder, fmt.Sprintf("export-%d.csv", number))
	file, err := os.Create(path) // want: resource likely kind=file pattern=linear
	if err != nil {
		return err
	}
	jobs = append(jobs, job{file})
	if _, err = file.WriteString("id,total\n"); err != nil {
		return err
	}
	return os.Remove(path)
}

func main() {
	folder, err := os.MkdirTemp("", "exports-open")
	if err != nil {
		panic(err)
	}
	service.Run(func(request int) {
		if request%20 == 0 {
			if err := export(folder, request); err != nil {
				panic(err)
			}
		}
	})
}
