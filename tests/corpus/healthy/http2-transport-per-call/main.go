// Command http2-transport-per-call sends all notifications over one HTTP/2 connection.
package main

import (
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
)

// newClient trusts the peer's certificate, which is made up.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		ForceAttemptHTTP2: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	}}
}

var client = newClient()

func notify(url string) error {
	answer, err := client.Post(url, "text/plain", strings.NewReader("shipped"))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

func serve(listener net.Listener) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
	}))
	server.Listener.Close()
	server.Listener = listener
	server.EnableHTTP2 = true
	server.StartTLS()
}

func main() {
	url := "https://" + peer.Start(serve) + "/notify"
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		if err := notify(url); err != nil {
			panic(err)
		}
	}
}
