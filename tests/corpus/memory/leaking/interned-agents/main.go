// Command interned-agents interns the names of user agents, each of which has a number of its own.
package main

import (
	"strconv"
	"strings"
	"sync"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var interned sync.Map

func intern(name string) string {
	known, _ := interned.LoadOrStore(name, strings.Clone(name)) // want: heap-growth likely pattern=linear held=main.interned
	return known.(string)
}

func main() {
	service.Run(func(request int) {
		for i := 0; i < 20; i++ {
			intern(strings.Repeat("Agent/1.0 ", 30) + strconv.Itoa(request*20+i))
		}
	})
}
