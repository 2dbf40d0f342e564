// Command clients-come-and-go serves clients that connect, ask for half a minute, and leave: twenty at a time.
package main

import (
	"io"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/peer"
	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	address := peer.Start(func(listener net.Listener) {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				io.Copy(conn, conn)
			}()
		}
	})
	service.Run(func(request int) {
		if request%10 != 0 {
			return
		}
		conn, err := net.Dial("tcp", address)
		if err != nil {
			panic(err)
		}
		time.AfterFunc(4*time.Second, func() { conn.Close() })
	})
}
