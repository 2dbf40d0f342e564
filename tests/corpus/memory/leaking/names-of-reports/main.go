// Command names-of-reports remembers the title of each report, which is a part of the string with all
// of its text.
package main

import (
	"fmt"
	"strings"

	"example.org/leak-agent/corpus/memory/internal/service"
)

var titles = map[string]int{}

func title(report string) string {
	line, _, _ := strings.Cut(report, "\n")
	return line
}

func main() {
	service.Run(func(request int) {
		report := fmt.Sprintf("report %d\n%s", request, strings.Repeat("all is well ", 2000))
		titles[title(report)]++ // want: heap-growth likely pattern=linear held=main.titles
	})
}
