// Command bodies-open looks at the code of each answer and closes no body.
package main

import (
	"io"
	"net"
	"net/http"
	"strings"

	"example.org/leak-agent/corpus/internal/peer"
	"example.org/leak-agent/corpus/memory/internal/service"
)

func status(url string) (int, error) {
	answer, err := http.Get(url) // want: resource likely kind=tcp-socket pattern=linear
	if err != nil {
		return 0, err
	}
	return answer.StatusCode, nil
}

// may: network-io at=net/http.(*persistConn).readLoop
// may: network-io at=net/http.(*persistConn).writeLoop
// may: heap-growth

func main() {
	address := peer.Start(func(listener net.Listener) {
		page := strings.Repeat("status\n", 100000)
		http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, page) }))
	})
	service.Run(func(request int) {
		if request%20 == 0 {
			if _, err := status("http://" + address); err != nil {
				panic(err)
			}
		}
	})
}
