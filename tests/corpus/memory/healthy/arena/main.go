// Command arena takes the memory of each request from blocks that it uses again and again.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

type arena struct {
	blocks [][]byte
	used   int
}

func (a *arena) take(size int) []byte {
	if a.used == len(a.blocks) {
		a.blocks = append(a.blocks, make([]byte, 64<<10))
	}
	a.used++
	return a.blocks[a.used-1][:size]
}

func main() {
	var scratch arena
	service.Run(func(request int) {
		for i := 0; i < 20+request%60; i++ {
			copy(scratch.take(48<<10), "row")
		}
		scratch.used = 0
	})
}
