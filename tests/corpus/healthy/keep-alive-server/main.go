// Command keep-alive-server serves 200 clients over HTTP that keep their connections open and ask
// something every half minute.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func get(conn net.Conn, answers *bufio.Reader) error {
	if _, err := io.WriteString(conn, "GET /time HTTP/1.1\r\nHost: shop\r\n\r\n"); err != nil {
		return err
	}
	answer, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	server := &http.Server{ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 3 * time.Minute}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, time.Now())
	})
	go server.Serve(listener)

	type client struct {
		net.Conn
		answers *bufio.Reader
	}
	var clients []client
	for len(clients) < 200 {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			panic(err)
		}
		clients = append(clients, client{conn, bufio.NewReader(conn)})
	}
	for _, c := range clients {
		get(c, c.answers)
	}
	alive.Ready()
	for n := 0; ; n++ {
		time.Sleep(150 * time.Millisecond)
		c := clients[n%len(clients)]
		get(c, c.answers)
	}
}
