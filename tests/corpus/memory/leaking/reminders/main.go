// Command reminders sets a timer for each order that is cancelled nowhere: each keeps its order until the
// next day.
package main

import (
	"time"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type order struct{ document []byte }

func (o *order) remind() { _ = o.document[0] }

func main() {
	service.Run(func(int) {
		o := &order{document: service.Bytes(20 << 10)}
		time.AfterFunc(24*time.Hour, o.remind) // want: heap-growth likely pattern=linear
	})
}
