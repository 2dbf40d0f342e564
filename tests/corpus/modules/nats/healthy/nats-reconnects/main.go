// Command nats-reconnects has eight connections that the server cuts after a second or two. They come
// back by themselves, for ever.
package main

import (
	"bufio"
	"io"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
	"github.com/nats-io/nats.go"
)

func connect(url string) error {
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(200*time.Millisecond))
	if err != nil {
		return err
	}
	_, err = conn.Subscribe("orders", func(*nats.Msg) {})
	return err
}

// serve speaks as much of the protocol as the client needs.
func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go answer(conn)
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	time.AfterFunc(1500*time.Millisecond, func() { conn.Close() })
	io.WriteString(conn, `INFO {"server_id":"S","version":"2.10.0","max_payload":1048576}`+"\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if lines.Text() == "PING" {
			io.WriteString(conn, "PONG\r\n")
		}
	}
}

func main() {
	url := "nats://" + peer.Start(serve)
	for i := 0; i < 8; i++ {
		if err := connect(url); err != nil {
			panic(err)
		}
	}
	alive.Ready()
	select {}
}
