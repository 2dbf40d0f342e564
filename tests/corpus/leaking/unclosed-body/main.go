// Command unclosed-body asks an upstream for its status and looks at the code only. The body is
// neither read nor closed, so that its connection and the two goroutines on it stay.
package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func healthy(url string) bool {
	answer, err := http.Get(url) // want: network-io likely pattern=unclosed-body at=net/http.(*persistConn).readLoop // cause: http.Response.Body
	if err != nil {
		return false
	}
	return answer.StatusCode == http.StatusOK
}

// may: network-io likely pattern=unclosed-body at=net/http.(*persistConn).writeLoop

// serve answers each connection's first request with the beginning of a long page. It keeps no
// goroutine a connection, so that all that grows is the client's.
func serve(listener net.Listener) {
	var open []net.Conn
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		open = append(open, conn)
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"+strings.Repeat("status\n", 1000))
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go serve(listener)
	alive.Ready()
	for range time.Tick(500 * time.Millisecond) {
		healthy("http://" + listener.Addr().String() + "/status")
	}
}
