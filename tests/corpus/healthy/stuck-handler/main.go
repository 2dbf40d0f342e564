// Command stuck-handler serves exports over HTTP. A handler waits for a worker's answer or for its
// client's end, whichever comes first.
package main

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type export struct {
	rows  string
	ready chan string
}

type exporter struct{ queue chan export }

func (e *exporter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	wanted := export{rows: r.URL.Query().Get("rows"), ready: make(chan string, 1)}
	e.queue <- wanted
	select {
	case answer := <-wanted.ready:
		fmt.Fprintln(w, answer)
	case <-r.Context().Done():
	}
}

func (e *exporter) work() {
	for wanted := range e.queue {
		if len(wanted.rows) > 3 {
			continue
		}
		wanted.ready <- wanted.rows + " rows"
	}
}

func ask(client *http.Client, url string) {
	answer, err := client.Get(url)
	if err == nil {
		answer.Body.Close()
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	e := &exporter{queue: make(chan export)}
	go e.work()
	go http.Serve(listener, e)
	client := &http.Client{Timeout: 300 * time.Millisecond}
	alive.Ready()
	for n := 0; ; n++ {
		rows := "20"
		if n%4 == 0 {
			rows = "20000"
		}
		go ask(client, "http://"+listener.Addr().String()+"/export?rows="+rows)
		time.Sleep(150 * time.Millisecond)
	}
}
