// Command batches has a batch of 24 MiB in memory for three of every six minutes.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

var batch [][]byte

func main() {
	service.Run(func(request int) {
		switch at := request % 300; {
		case at < 100:
			batch = append(batch, service.Bytes(240<<10))
		case at == 150:
			batch = nil
		}
	})
}
