// Command expirable-cache-per-tenant makes a cache whose entries expire for each import. Its goroutine,
// which removes them, has no end in this version: it has to be made once.
package main

import (
	"fmt"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/hashicorp/golang-lru/v2/expirable"
)

func newCache() *expirable.LRU[string, int] {
	return expirable.NewLRU[string, int](100, nil, time.Minute) // want: not-closed likely // cause: expirable.LRU
}

// load counts the different articles of an import.
func load(articles []string) int {
	seen := newCache()
	for i, article := range articles {
		seen.Add(article, i)
	}
	return seen.Len()
}

func main() {
	alive.Ready()
	for number := 0; ; number++ {
		load([]string{"a", "b", fmt.Sprint(number)})
		time.Sleep(300 * time.Millisecond)
	}
}
