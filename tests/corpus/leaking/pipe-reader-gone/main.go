// Command pipe-reader-gone streams reports through a pipe. The one who reads looks at the header,
// dislikes it, and returns without closing its end: the writer waits for a reader.
package main

import (
	"encoding/json"
	"errors"
	"io"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type row struct {
	Day   int
	Cents int
}

func write(to *io.PipeWriter, days int) {
	defer to.Close()
	encoder := json.NewEncoder(to)
	for day := 0; day < days; day++ {
		encoder.Encode(row{Day: day, Cents: 100 * day}) // want: select likely pattern=blocked-producer
	}
}

func upload(days int) error {
	from, to := io.Pipe()
	go write(to, days)
	decoder := json.NewDecoder(from)
	for {
		var r row
		if err := decoder.Decode(&r); err != nil {
			return nil
		}
		if r.Day > 5 {
			return errors.New("a report has five days")
		}
	}
}

func main() {
	alive.Ready()
	for n := 0; ; n++ {
		upload(4 + 50*(n%2))
		time.Sleep(200 * time.Millisecond)
	}
}
