// Command session-hub has a reader and a writer for each client that is connected. Clients come four
// times a second and stay for three seconds on average, most of them shorter and a few much longer.
package main

import (
	"bufio"
	"fmt"
	"math/rand"
	"net"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
)

type hub struct {
	mu      sync.Mutex
	clients map[chan string]struct{}
}

func (h *hub) join() chan string {
	send := make(chan string, 4)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.clients[send] = struct{}{}
	return send
}

func (h *hub) leave(send chan string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.clients, send)
	close(send)
}

func (h *hub) broadcast(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for send := range h.clients {
		select {
		case send <- text:
		default:
		}
	}
}

func (h *hub) serve(conn net.Conn) {
	defer conn.Close()
	send := h.join()
	defer h.leave(send)
	go write(conn, send)
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		h.broadcast(lines.Text())
	}
}

func write(conn net.Conn, send chan string) {
	for text := range send {
		fmt.Fprintln(conn, text)
	}
}

// visit is what the peer is here: clients that the hub tells where it is.
func visit(address string) {
	for range time.Tick(250 * time.Millisecond) {
		go func() {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return
			}
			time.AfterFunc(time.Duration(rand.ExpFloat64()*float64(3*time.Second)), func() { conn.Close() })
			fmt.Fprintln(conn, "hello")
			for lines := bufio.NewScanner(conn); lines.Scan(); {
			}
		}()
	}
}

func main() {
	control := peer.Start(func(listener net.Listener) {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		address, err := bufio.NewReader(conn).ReadString('\n')
		if err != nil {
			panic(err)
		}
		visit(address[:len(address)-1])
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	conn, err := net.Dial("tcp", control)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(conn, listener.Addr())
	alive.Ready()
	h := &hub{clients: map[chan string]struct{}{}}
	for {
		conn, err := listener.Accept()
		if err != nil {
			panic(err)
		}
		go h.serve(conn)
	}
}
