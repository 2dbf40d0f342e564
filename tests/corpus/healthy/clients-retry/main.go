// Command clients-retry has forty clients of a server that is down. Each tries again after a second,
// for as long as it takes.
package main

import (
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type client struct {
	address string
	stop    chan struct{}
}

func (c *client) run() {
	for {
		conn, err := net.DialTimeout("tcp", c.address, time.Second)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-time.After(time.Second):
		case <-c.stop:
			return
		}
	}
}

func main() {
	// A port that was free a moment ago: nobody listens there.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	address := listener.Addr().String()
	listener.Close()
	alive.Ready()
	stop := make(chan struct{})
	for i := 0; i < 40; i++ {
		go (&client{address, stop}).run()
		time.Sleep(25 * time.Millisecond)
	}
	select {}
}
