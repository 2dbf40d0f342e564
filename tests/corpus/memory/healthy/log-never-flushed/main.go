// Command log-never-flushed writes its log into a buffer, and that into a file whenever it is full.
package main

import (
	"bufio"
	"log"
	"os"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	file, err := os.CreateTemp("", "log-never-flushed")
	if err != nil {
		panic(err)
	}
	os.Remove(file.Name())
	logger := log.New(bufio.NewWriterSize(file, 1<<20), "orders ", log.LstdFlags)
	service.Run(func(request int) {
		for i := 0; i < 40; i++ {
			logger.Printf("request %d: %s", request, service.Bytes(256))
		}
	})
}
