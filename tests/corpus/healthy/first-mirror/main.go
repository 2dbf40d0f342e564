// Command first-mirror fetches a package from three mirrors at once and takes the first answer. The
// slower ones see that it is over and go.
package main

import (
	"context"
	"fmt"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

var mirrors = []string{"north", "south", "island"}

func fetch(name string) string {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	found := make(chan string)
	for i, mirror := range mirrors {
		go download(ctx, mirror, name, time.Duration(i+1)*10*time.Millisecond, found)
	}
	return <-found
}

func download(ctx context.Context, mirror, name string, takes time.Duration, found chan<- string) {
	time.Sleep(takes)
	select {
	case found <- fmt.Sprintf("%s from %s", name, mirror):
	case <-ctx.Done():
	}
}

func main() {
	alive.Ready()
	for n := 0; ; n++ {
		fetch(fmt.Sprintf("package-%d", n))
		time.Sleep(200 * time.Millisecond)
	}
}
