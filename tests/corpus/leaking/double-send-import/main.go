// Command double-send-import reads customer records. A bad record sends its error and then, for want
// of a return, a result too. It happens once in four seconds.
package main

import (
	"errors"
	"strconv"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type outcome struct {
	customer int
	err      error
}

func parse(record string, done chan<- outcome) {
	customer, err := strconv.Atoi(record)
	if err != nil {
		done <- outcome{err: errors.New("bad record: " + record)}
	}
	done <- outcome{customer: customer} // want: channel-send likely pattern=double-send
}

func importRecord(record string) (int, error) {
	done := make(chan outcome)
	go parse(record, done)
	o := <-done
	return o.customer, o.err
}

func main() {
	alive.Ready()
	for n := 0; ; n++ {
		record := strconv.Itoa(n)
		if n%40 == 39 {
			record = "n/a"
		}
		importRecord(record)
		time.Sleep(100 * time.Millisecond)
	}
}
