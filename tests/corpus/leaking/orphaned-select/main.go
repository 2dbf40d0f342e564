// Command orphaned-select merges two feeds of prices for each screen. When the feeds end they just
// stop sending, and the merge waits for either of them.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func feed(prices chan<- int, n int) {
	for i := 0; i < n; i++ {
		prices <- i
	}
}

func merge(stocks, bonds <-chan int, show func(int)) {
	for {
		select { // want: select likely pattern=blocked-consumer
		case price := <-stocks:
			show(price)
		case price := <-bonds:
			show(-price)
		}
	}
}

func screen() {
	stocks, bonds := make(chan int), make(chan int)
	go feed(stocks, 5)
	go feed(bonds, 3)
	go merge(stocks, bonds, func(int) {})
}

func main() {
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		screen()
	}
}
