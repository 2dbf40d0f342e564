// Command database-pool has a pool of connections that grows with the load of its first minutes to its bound
// of twelve, and goes on from there.
package main

import (
	"time"

	"example.org/leak-agent/corpus/memory/internal/remote"
	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	db := remote.Start()
	db.SetMaxOpenConns(12)
	db.SetMaxIdleConns(12)
	service.Run(func(request int) {
		rows, err := db.Query("list")
		if err != nil {
			panic(err)
		}
		// More and more of them at a time.
		time.AfterFunc(time.Duration(min(request, 400))*time.Millisecond/2, func() { rows.Close() })
	})
}

func min(a, b int) int {
	if a < b {
		return a
	}
	return b
}
