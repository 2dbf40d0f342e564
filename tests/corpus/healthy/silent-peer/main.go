// Command silent-peer hands mail to a relay that accepts connections and never greets. Two seconds are
// as long as anyone waits for the greeting.
package main

import (
	"bufio"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type mailer struct{ relay string }

func (m *mailer) send(letter string) error {
	conn, err := net.Dial("tcp", m.relay)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(2 * time.Second)); err != nil {
		return err
	}
	greeting, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte("HELO " + greeting + letter))
	return err
}

// relay accepts connections and has nothing to say. It forgets the oldest.
func relay(listener net.Listener) {
	var open []net.Conn
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		open = append(open, conn)
		if len(open) > 10 {
			open[0].Close()
			open = open[1:]
		}
	}
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go relay(listener)
	m := &mailer{relay: listener.Addr().String()}
	alive.Ready()
	for range time.Tick(500 * time.Millisecond) {
		go m.send("hello")
	}
}
