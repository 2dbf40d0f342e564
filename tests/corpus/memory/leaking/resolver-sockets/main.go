// Command resolver-sockets has a socket for each lookup that times out, and closes only the others.
package main

import (
	"net"

	"example.org/leak-agent/corpus/memory/internal/service"
)

type lookup struct {
	name   string
	socket net.Conn
}

var pending []*lookup

func query(name string, server net.Addr, fails bool) error {
	socket, err := net.Dial("udp", server.String()) // want: resource likely kind=udp-socket pattern=linear
	if err != nil {
		return err
	}
	if fails {
		pending = append(pending, &lookup{name, socket})
		return nil
	}
	return socket.Close()
}

func main() {
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	service.Run(func(request int) {
		if err := query("example.org", server.LocalAddr(), request%20 == 0); err != nil {
			panic(err)
		}
	})
}
