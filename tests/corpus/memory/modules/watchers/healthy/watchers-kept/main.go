// Command watchers-kept has a file watcher for each tenant's configuration, and closes it when the tenant
// has gone.
package main

import (
	"os"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/fsnotify/fsnotify"
)

func main() {
	folder, err := os.MkdirTemp("", "watchers-kept")
	if err != nil {
		panic(err)
	}
	alive.Ready()
	for range time.Tick(700 * time.Millisecond) {
		watcher, err := fsnotify.NewWatcher()
		if err != nil {
			panic(err)
		}
		if err := watcher.Add(folder); err != nil {
			panic(err)
		}
		time.AfterFunc(5*time.Second, func() { watcher.Close() })
	}
}
