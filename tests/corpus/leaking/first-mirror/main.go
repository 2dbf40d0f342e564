// Command first-mirror fetches a package from three mirrors at once and takes the first answer. The
// two slower mirrors' answers find nobody.
package main

import (
	"fmt"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

var mirrors = []string{"north", "south", "island"}

func fetch(name string) string {
	found := make(chan string)
	for i, mirror := range mirrors {
		go download(mirror, name, time.Duration(i+1)*10*time.Millisecond, found)
	}
	return <-found
}

func download(mirror, name string, takes time.Duration, found chan<- string) {
	time.Sleep(takes)
	found <- fmt.Sprintf("%s from %s", name, mirror) // want: channel-send likely pattern=n-cast
}

func main() {
	alive.Ready()
	for n := 0; ; n++ {
		fetch(fmt.Sprintf("package-%d", n))
		time.Sleep(200 * time.Millisecond)
	}
}
