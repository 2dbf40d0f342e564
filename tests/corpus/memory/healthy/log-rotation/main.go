// Command log-rotation begins a new log file each two minutes and closes the one before; lines are buffered.
package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type log struct {
	*bufio.Writer
	file *os.File
}

func (l *log) rotate(path string) error {
	if l.file != nil {
		l.Flush()
		l.file.Close()
		os.Remove(l.file.Name())
	}
	file, err := os.Create(path)
	l.file, l.Writer = file, bufio.NewWriterSize(file, 1<<20)
	return err
}

func main() {
	folder, err := os.MkdirTemp("", "log-rotation")
	if err != nil {
		panic(err)
	}
	var lines log
	service.Run(func(request int) {
		if request%100 == 0 {
			if err := lines.rotate(filepath.Join(folder, fmt.Sprintf("log.%d", request/100))); err != nil {
				panic(err)
			}
		}
		fmt.Fprintf(lines, "request %d\n%s\n", request, service.Bytes(8<<10))
	})
}
