// Command large-and-slow has loaded 100 MiB and loses 300 KiB a second. Half a minute of that is too
// little for more than a suspicion.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

var events [][]byte

func main() {
	service.RunLoaded(100<<20, func(int) {
		events = append(events, service.Bytes(6<<10)) // want: heap-growth suspect held=main.events
	})
}
