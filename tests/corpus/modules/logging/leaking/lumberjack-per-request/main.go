// Command lumberjack-per-request makes a rotating log file for each request. Each starts a goroutine that
// removes old files, and that nothing ends: Close does not either, so that it has to be made once.
package main

import (
	"log"
	"os"
	"path/filepath"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"gopkg.in/natefinch/lumberjack.v2"
)

func handle(folder string) {
	file := &lumberjack.Logger{Filename: filepath.Join(folder, "audit.log"), MaxBackups: 1}
	defer file.Close()
	log.New(file, "", 0).Print("paid")
	file.Rotate() // want: not-closed likely // cause: lumberjack.Logger
}

func main() {
	folder, err := os.MkdirTemp("", "lumberjack-per-request")
	if err != nil {
		panic(err)
	}
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		handle(folder)
	}
}
