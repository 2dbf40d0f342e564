// Command startup-probes asked twelve neighbours for their version at its start and took the first
// three answers. Nine have waited to give theirs ever since; there will be no more of them.
package main

import (
	"strconv"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func probe(neighbour int, versions chan<- string) {
	version := "v" + strconv.Itoa(neighbour)
	versions <- version // want: channel-send suspect pattern=n-cast
}

func agreed() []string {
	versions := make(chan string)
	for neighbour := 0; neighbour < 12; neighbour++ {
		go probe(neighbour, versions)
	}
	return []string{<-versions, <-versions, <-versions}
}

func main() {
	agreed()
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
	}
}
