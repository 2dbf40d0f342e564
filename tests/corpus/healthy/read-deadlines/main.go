// Command read-deadlines has 50 open sockets, on each of which a loop reads frames. A peer has to say
// something every ten seconds, if only a ping, or else its socket is closed and it comes again.
package main

import (
	"net"
	"sync/atomic"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type hub struct{ frames, open atomic.Int64 }

func (h *hub) serve(conn net.Conn) {
	h.open.Add(1)
	defer h.open.Add(-1)
	defer conn.Close()
	frame := make([]byte, 128)
	for {
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := conn.Read(frame); err != nil {
			return
		}
		h.frames.Add(1)
	}
}

func (h *hub) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go h.serve(conn)
	}
}

func peer(address string, every time.Duration) {
	for {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return
		}
		for err == nil {
			_, err = conn.Write([]byte("ping"))
			time.Sleep(every)
		}
		conn.Close()
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	h := new(hub)
	go h.accept(listener)
	for i := 0; i < 50; i++ {
		go peer(listener.Addr().String(), time.Duration(6000+100*i)*time.Millisecond)
	}
	alive.Ready()
	select {}
}
