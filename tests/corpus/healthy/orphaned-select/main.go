// Command orphaned-select merges two feeds of prices for each screen. A feed that ends closes its
// channel, and the merge ends with the second one.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func feed(prices chan<- int, n int) {
	defer close(prices)
	for i := 0; i < n; i++ {
		prices <- i
		time.Sleep(100 * time.Millisecond)
	}
}

func merge(stocks, bonds <-chan int, show func(int)) {
	for stocks != nil || bonds != nil {
		select {
		case price, more := <-stocks:
			if !more {
				stocks = nil
			}
			show(price)
		case price, more := <-bonds:
			if !more {
				bonds = nil
			}
			show(-price)
		}
	}
}

func screen() {
	stocks, bonds := make(chan int), make(chan int)
	go feed(stocks, 50)
	go feed(bonds, 30)
	go merge(stocks, bonds, func(int) {})
}

func main() {
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		screen()
	}
}
