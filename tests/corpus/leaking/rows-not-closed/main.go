// Command rows-not-closed returns from a loop over rows at the first row that will do, without closing
// them. The connection stays in use; once all ten are, every request waits for one.
package main

import (
	"context"
	"database/sql"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	_ "example.org/leak-agent/corpus/internal/table"
)

type shop struct{ db *sql.DB }

// firstOver finds the first total over a limit.
func (s *shop) firstOver(ctx context.Context, limit int) (int, error) {
	rows, err := s.db.QueryContext(ctx, "select total from orders") // want: select likely
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		var total int
		if err := rows.Scan(&total); err != nil {
			return 0, err
		}
		if total > limit {
			return total, nil
		}
	}
	return 0, rows.Err()
}

func main() {
	db, err := sql.Open("table", "orders")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(10)
	shop := &shop{db}
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		go shop.firstOver(context.Background(), 1)
	}
}
