// Command idle waits for work that does not come.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func main() {
	alive.Ready()
	time.Sleep(time.Hour)
}
