// Command lumberjack-per-request writes all requests to one rotating log file.
package main

import (
	"log"
	"os"
	"path/filepath"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"gopkg.in/natefinch/lumberjack.v2"
)

func handle(file *lumberjack.Logger) {
	log.New(file, "", 0).Print("paid")
	file.Rotate()
}

func main() {
	folder, err := os.MkdirTemp("", "lumberjack-per-request")
	if err != nil {
		panic(err)
	}
	file := &lumberjack.Logger{Filename: filepath.Join(folder, "audit.log"), MaxBackups: 1}
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		handle(file)
	}
}
