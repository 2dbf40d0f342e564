// Command websocket-hub tells everybody what anybody says. A client that leaves is taken off the list, and
// its channel closed. Clients stay for two seconds on average, most shorter and a few much longer.
package main

import (
	"fmt"
	"io"
	"math/rand"
	"net"
	"net/http"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
	"github.com/gorilla/websocket"
)

type hub struct {
	mu      sync.Mutex
	clients map[chan []byte]struct{}
}

func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var upgrader websocket.Upgrader
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	send := make(chan []byte, 16)
	h.mu.Lock()
	h.clients[send] = struct{}{}
	h.mu.Unlock()
	defer h.leave(send)
	go write(conn, send)
	for {
		_, text, err := conn.ReadMessage()
		if err != nil {
			return
		}
		h.broadcast(text)
	}
}

func (h *hub) leave(send chan []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, send)
	close(send)
}

func (h *hub) broadcast(text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for send := range h.clients {
		select {
		case send <- text:
		default:
		}
	}
}

func write(conn *websocket.Conn, send <-chan []byte) {
	for text := range send {
		conn.WriteMessage(websocket.TextMessage, text)
	}
}

// visit has clients come and go. It is the peer: the hub tells it where it is.
func visit(listener net.Listener) {
	conn, err := listener.Accept()
	if err != nil {
		panic(err)
	}
	var address string
	if _, err := fmt.Fscanln(conn, &address); err != nil {
		panic(err)
	}
	for range time.Tick(250 * time.Millisecond) {
		go func() {
			conn, _, err := websocket.DefaultDialer.Dial("ws://"+address, nil)
			if err != nil {
				return
			}
			stays := time.Duration(rand.ExpFloat64() * float64(2*time.Second))
			time.AfterFunc(stays, func() { conn.Close() })
			conn.WriteMessage(websocket.TextMessage, []byte("hello"))
			for err == nil {
				_, _, err = conn.ReadMessage()
			}
		}()
	}
}

func main() {
	visitors, err := net.Dial("tcp", peer.Start(visit))
	if err != nil {
		panic(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	io.WriteString(visitors, listener.Addr().String()+"\n")
	alive.Ready()
	http.Serve(listener, &hub{clients: map[chan []byte]struct{}{}})
}
