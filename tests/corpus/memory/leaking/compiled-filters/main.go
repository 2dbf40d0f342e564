// Command compiled-filters compiles what each user searches for, and keeps it for the next time.
package main

import (
	"fmt"
	"regexp"
	"sync"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type filters struct {
	sync.Mutex
	compiled map[string]*regexp.Regexp
}

var searched = &filters{compiled: map[string]*regexp.Regexp{}}

func (f *filters) get(expression string) *regexp.Regexp {
	f.Lock()
	defer f.Unlock()
	if f.compiled[expression] == nil {
		f.compiled[expression] = regexp.MustCompile(expression) // want: heap-growth likely pattern=linear held=main.searched
	}
	return f.compiled[expression]
}

func main() {
	service.Run(func(request int) {
		for i := 0; i < 4; i++ {
			searched.get(fmt.Sprintf(`^order-%d-(open|paid|sent)-[a-z]{4,20}$`, request*4+i)).MatchString("order-1-paid-abcde")
		}
	})
}
