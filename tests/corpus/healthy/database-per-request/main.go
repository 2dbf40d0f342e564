// Command database-per-request opens the database once, for all requests.
package main

import (
	"database/sql"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	_ "example.org/leak-agent/corpus/internal/table"
)

func total(db *sql.DB, order int) (int, error) {
	var sum int
	err := db.QueryRow("select total from orders where id = ?", order).Scan(&sum)
	return sum, err
}

func main() {
	db, err := sql.Open("table", "orders")
	if err != nil {
		panic(err)
	}
	defer db.Close()
	alive.Ready()
	for order := range ticks() {
		if _, err := total(db, order); err != nil {
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
