// Command deep-stacks walks a deep tree now and then with many goroutines, whose stacks become large and are given
// back.
package main

import (
	"sync"

	"example.org/leak-agent/corpus/memory/internal/service"
)

func depth(levels int) int {
	var row [64]int
	if levels == 0 {
		return row[0]
	}
	row[levels%len(row)] = levels
	return depth(levels-1) + row[levels%len(row)]
}

func main() {
	service.Run(func(request int) {
		if request%100 != 50 {
			return
		}
		var walks sync.WaitGroup
		for i := 0; i < 40; i++ {
			walks.Add(1)
			go func() {
				defer walks.Done()
				depth(500)
			}()
		}
		walks.Wait()
	})
}
