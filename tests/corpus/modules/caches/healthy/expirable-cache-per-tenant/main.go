// Command expirable-cache-per-tenant has one cache whose entries expire, for all imports.
package main

import (
	"fmt"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/hashicorp/golang-lru/v2/expirable"
)

func newCache() *expirable.LRU[string, int] {
	return expirable.NewLRU[string, int](100, nil, time.Minute)
}

// load counts the different articles of an import.
func load(seen *expirable.LRU[string, int], articles []string) int {
	for i, article := range articles {
		seen.Add(article, i)
	}
	return seen.Len()
}

func main() {
	seen := newCache()
	alive.Ready()
	for number := 0; ; number++ {
		load(seen, []string{"a", "b", fmt.Sprint(number)})
		time.Sleep(300 * time.Millisecond)
	}
}
