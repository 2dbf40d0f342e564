// Command memtable has a table of writes that is merged into a sorted one when it is large enough: both
// together rise and fall.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

var (
	writes = map[int][]byte{}
	sorted [][]byte
)

func main() {
	service.Run(func(request int) {
		writes[request] = service.Bytes(40 << 10)
		if len(writes) == 220 {
			sorted = nil
			for _, value := range writes {
				sorted = append(sorted, value[:len(value)/2:len(value)/2])
			}
			writes = map[int][]byte{}
		}
	})
}
