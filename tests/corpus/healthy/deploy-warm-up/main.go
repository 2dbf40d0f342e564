// Command deploy-warm-up takes over traffic from the release before it: its connections grow for 25
// seconds, faster and faster, and are 300 from then on. Each has a reader and a writer.
package main

import (
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type connection struct {
	net.Conn
	out chan []byte
}

func (c *connection) read() {
	buf := make([]byte, 64)
	for {
		n, err := c.Read(buf)
		if err != nil {
			close(c.out)
			return
		}
		c.out <- append([]byte(nil), buf[:n]...)
	}
}

func (c *connection) write() {
	for answer := range c.out {
		c.Write(answer)
	}
}

func connect() net.Conn {
	theirs, ours := net.Pipe()
	c := &connection{Conn: ours, out: make(chan []byte, 4)}
	go c.read()
	go c.write()
	return theirs
}

func main() {
	started := time.Now()
	alive.Ready()
	var customers []net.Conn
	buf := make([]byte, 64)
	for n := 0; ; n++ {
		part := time.Since(started).Seconds() / 25
		for len(customers) < 300 && float64(len(customers)) < 300*part*part {
			customers = append(customers, connect())
		}
		if len(customers) > 0 {
			customer := customers[n%len(customers)]
			customer.Write([]byte("ping"))
			customer.Read(buf)
		}
		time.Sleep(50 * time.Millisecond)
	}
}
