// Command probe-connections dials a service to see whether it is there, and forgets to hang up. The
// connections stay in a list of what was probed.
package main

import (
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/peer"
	"example.org/leak-agent/corpus/memory/internal/service"
)

type result struct {
	at   time.Time
	conn net.Conn
}

var results []result

func probe(address string) error {
	conn, err := net.Dial("tcp", address) // want: resource likely kind=tcp-socket pattern=linear
	if err != nil {
		return err
	}
	results = append(results, result{time.Now(), conn})
	return nil
}

func main() {
	address := peer.Start(func(listener net.Listener) {
		var open []net.Conn
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			open = append(open, conn)
		}
	})
	service.Run(func(request int) {
		if request%20 == 0 {
			if err := probe(address); err != nil {
				panic(err)
			}
		}
	})
}
