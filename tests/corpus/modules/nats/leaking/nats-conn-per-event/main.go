// Command nats-conn-per-event publishes each event over a connection of its own that stays open.
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

func publish(url, event string) error {
	conn, err := nats.Connect(url) // want: not-closed likely // cause: nats.Conn
	if err != nil {
		return err
	}
	if err := conn.Publish("orders", []byte(event)); err != nil {
		return err
	}
	return conn.Flush()
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
	io.WriteString(conn, `INFO {"server_id":"S","version":"2.10.0","max_payload":1048576}`+"\r\n")
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		if lines.Text() == "PING" {
			io.WriteString(conn, "PONG\r\n")
		}
	}
}

func main() {
	url := "nats://" + peer.Start(serve)
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		if err := publish(url, "paid"); err != nil {
			panic(err)
		}
	}
}
