// Command unclosed-body asks an upstream for its status, reads the body to its end and closes it, so
// that one connection serves all requests.
package main

import (
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func healthy(url string) bool {
	answer, err := http.Get(url)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, answer.Body)
	return answer.StatusCode == http.StatusOK
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	page := strings.Repeat("status\n", 1000)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, page)
	}))
	alive.Ready()
	for range time.Tick(500 * time.Millisecond) {
		healthy("http://" + listener.Addr().String() + "/status")
	}
}
