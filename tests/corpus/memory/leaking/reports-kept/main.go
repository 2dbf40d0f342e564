// Command reports-kept keeps the report of each ten minutes in case somebody asks for it again.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

type report struct {
	number int
	tables [][]byte
}

var archive = map[int]*report{}

func publish(number int) {
	it := &report{number: number}
	for i := 0; i < 600; i++ {
		it.tables = append(it.tables, service.Bytes(10<<10))
	}
	archive[number] = it // want: heap-growth likely pattern=stepped held=main.archive
}

func main() {
	service.Run(func(request int) {
		if request%350 == 349 {
			publish(request)
		}
	})
}
