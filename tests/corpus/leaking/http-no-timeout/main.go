// Command http-no-timeout posts events to a collector with the default client, which waits as long as
// it takes. The collector takes connections and never answers.
package main

import (
	"net"
	"net/http"
	"strings"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type reporter struct{ collector string }

func (r *reporter) report(event string) error {
	answer, err := http.Post(r.collector, "text/plain", strings.NewReader(event)) // want: network-io likely pattern=no-deadline
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// may: network-io likely pattern=no-deadline at=net/http.(*persistConn).readLoop
// may: network-io likely pattern=no-deadline at=net/http.(*persistConn).writeLoop

// hang takes connections and keeps them, like a process whose accept queue still works.
func hang(listener net.Listener) {
	var open []net.Conn
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		open = append(open, conn)
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go hang(listener)
	r := &reporter{collector: "http://" + listener.Addr().String() + "/events"}
	alive.Ready()
	for range time.Tick(500 * time.Millisecond) {
		go r.report("door opened")
	}
}
