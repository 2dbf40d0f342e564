// Command bodies-open looks at the code of each answer and closes its body.
package main

import (
	"io"
	"net"
	"net/http"

	"example.org/leak-agent/corpus/internal/peer"
	"example.org/leak-agent/corpus/memory/internal/service"
)

func main() {
	address := peer.Start(func(listener net.Listener) {
		http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "fine") }))
	})
	service.Run(func(request int) {
		if request%5 != 0 {
			return
		}
		answer, err := http.Get("http://" + address)
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	})
}
