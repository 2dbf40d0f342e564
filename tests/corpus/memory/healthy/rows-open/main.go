// Command rows-open takes the first row of an answer and closes the rows.
package main

import (
	"example.org/leak-agent/corpus/memory/internal/remote"
	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	db := remote.Start()
	service.Run(func(request int) {
		rows, err := db.Query("list")
		if err != nil {
			panic(err)
		}
		defer rows.Close()
		rows.Next()
	})
}
