// Command rows-open takes the first row of an answer and leaves the rows open. The pool has no bound, and
// so each has a connection of its own.
package main

import (
	"database/sql"

	"example.org/leak-agent/corpus/memory/internal/remote"
	"example.org/leak-agent/corpus/memory/internal/service"
)

func newest(db *sql.DB) (total int, err error) {
	rows, err := db.Query("list") // want: resource likely kind=tcp-socket pattern=linear
	if err != nil {
		return 0, err
	}
	if rows.Next() {
		err = rows.Scan(&total)
	}
	return total, err
}

func main() {
	db := remote.Start()
	service.Run(func(request int) {
		if request%25 == 0 {
			if _, err := newest(db); err != nil {
				panic(err)
			}
		}
	})
}
