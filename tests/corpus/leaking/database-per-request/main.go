// Command database-per-request opens the database anew for each request, and never closes it. Each
// has a goroutine of database/sql that waits to open connections.
package main

import (
	"database/sql"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	_ "example.org/leak-agent/corpus/internal/table"
)

func total(order int) (int, error) {
	db, err := sql.Open("table", "orders") // want: not-closed likely // cause: sql.DB
	if err != nil {
		return 0, err
	}
	var sum int
	err = db.QueryRow("select total from orders where id = ?", order).Scan(&sum)
	return sum, err
}

func main() {
	alive.Ready()
	for order := range ticks() {
		if _, err := total(order); err != nil {
			panic(err)
		}
	}
}

// ticks are the orders that come in.
func ticks() <-chan int {
	orders := make(chan int)
	go func() {
		for order := 1; ; order++ {
			time.Sleep(250 * time.Millisecond)
			orders <- order
		}
	}()
	return orders
}
