// Command reminders sets a timer for each order, which goes off within a few minutes.
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
		time.AfterFunc(4*time.Second, o.remind)
	})
}
