// Command transport-per-call asks for exchange rates, all calls through one transport.
package main

import (
	"io"
	"net"
	"net/http"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
)

var client = &http.Client{Transport: &http.Transport{}, Timeout: time.Second}

func rate(url string) (string, error) {
	answer, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}

func serve(listener net.Listener) {
	http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "1.0842\n")
	}))
}

func main() {
	url := "http://" + peer.Start(serve) + "/rate"
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		if _, err := rate(url); err != nil {
			panic(err)
		}
	}
}
