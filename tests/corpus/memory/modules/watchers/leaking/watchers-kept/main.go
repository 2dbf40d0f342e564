// Command watchers-kept has a file watcher for each tenant's configuration, and closes none when the tenant
// has gone.
package main

import (
	"os"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/fsnotify/fsnotify"
)

func watch(folder string) error {
	watcher, err := fsnotify.NewWatcher() // want: resource likely kind=inotify pattern=linear // may: not-closed // cause: fsnotify.Watcher
	if err != nil {
		return err
	}
	return watcher.Add(folder)
}

func main() {
	folder, err := os.MkdirTemp("", "watchers-kept")
	if err != nil {
		panic(err)
	}
	alive.Ready()
	// A user may have 128 of them.
	for range time.Tick(700 * time.Millisecond) {
		if err := watch(folder); err != nil {
			panic(err)
		}
	}
}
