// Command retries-double puts each message that could not be delivered back once, and has a bound of 5000.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

const bound = 5000

var waiting [][]byte

func main() {
	service.Run(func(request int) {
		for i := 0; i < 40 && len(waiting) < bound; i++ {
			waiting = append(waiting, service.Bytes(2<<10))
		}
		if request%50 == 0 {
			waiting = append([][]byte(nil), waiting[len(waiting)/20:]...)
		}
	})
}
