// Command http-no-timeout posts events to a collector that never answers, with a client that waits two
// seconds at the most.
package main

import (
	"net"
	"net/http"
	"strings"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type reporter struct {
	collector string
	client    http.Client
}

func (r *reporter) report(event string) error {
	answer, err := r.client.Post(r.collector, "text/plain", strings.NewReader(event))
	if err != nil {
		return err
	}
	return answer.Body.Close()
}

// hang takes connections and keeps the last ten, like a process whose accept queue still works.
func hang(listener net.Listener) {
	var open []net.Conn
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		open = append(open, conn)
		if len(open) > 10 {
			open[0].Close()
			open = open[1:]
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go hang(listener)
	r := &reporter{collector: "http://" + listener.Addr().String() + "/events"}
	r.client.Timeout = 2 * time.Second
	alive.Ready()
	for range time.Tick(500 * time.Millisecond) {
		go r.report("door opened")
	}
}
