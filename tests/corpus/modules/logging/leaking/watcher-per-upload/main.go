// Command watcher-per-upload watches a folder until an upload is there, and drops the watcher without
// closing it.
package main

import (
	"os"
	"path/filepath"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/fsnotify/fsnotify"
)

func receive(folder string) error {
	watcher, err := fsnotify.NewWatcher() // want: not-closed likely // cause: fsnotify.Watcher
	if err != nil {
		return err
	}
	if err := watcher.Add(folder); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "upload"), nil, 0o600); err != nil {
		return err
	}
	<-watcher.Events
	return nil
}

func main() {
	alive.Ready()
	for range time.Tick(500 * time.Millisecond) {
		folder, err := os.MkdirTemp("", "watcher-per-upload")
		if err != nil {
			panic(err)
		}
		if err := receive(folder); err != nil {
			panic(err)
		}
		os.RemoveAll(folder)
	}
}
