// Command long-poll has 60 browsers that ask for news over HTTP. The server answers when there is
// some, or after 30 seconds; then they ask again.
package main

import (
	"io"
	"net"
	"net/http"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type news struct{ headline chan string }

func (n *news) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	timeout := time.NewTimer(30 * time.Second)
	defer timeout.Stop()
	select {
	case headline := <-n.headline:
		io.WriteString(w, headline)
	case <-timeout.C:
		w.WriteHeader(http.StatusNoContent)
	case <-r.Context().Done():
	}
}

func browse(client *http.Client, url string) {
	for {
		answer, err := client.Get(url)
		if err != nil {
			time.Sleep(time.Second)
			continue
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	n := &news{headline: make(chan string)}
	go http.Serve(listener, n)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}, Timeout: time.Minute}
	for browser := 0; browser < 60; browser++ {
		go browse(client, "http://"+listener.Addr().String()+"/news")
		time.Sleep(10 * time.Millisecond)
	}
	alive.Ready()
	for range time.Tick(3 * time.Second) {
		select {
		case n.headline <- "It rains":
		default:
		}
	}
}
