// Command closed-by-peer asks a server that closes each connection after its answer. The program reads the
// answer, and keeps its own end.
package main

import (
	"io"
	"net"

	"example.org/leak-agent/corpus/internal/peer"
	"example.org/leak-agent/corpus/memory/internal/service"
)

var connections []net.Conn

func ask(address string) error {
	conn, err := net.Dial("tcp", address) // want: resource likely kind=tcp-socket pattern=linear
	if err != nil {
		return err
	}
	connections = append(connections, conn)
	_, err = io.ReadAll(conn)
	return err
}

func main() {
	address := peer.Start(func(listener net.Listener) {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			io.WriteString(conn, "42\n")
			conn.Close()
		}
	})
	service.Run(func(request int) {
		if request%15 == 0 {
			if err := ask(address); err != nil {
				panic(err)
			}
		}
	})
}
