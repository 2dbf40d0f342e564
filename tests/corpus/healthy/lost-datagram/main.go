// Command lost-datagram asks a time server over UDP. One answer in twenty gets lost; three seconds are
// as long as anyone waits for it.
package main

import (
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func askTime(server string) (time.Duration, error) {
	conn, err := net.Dial("udp", server)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	asked := time.Now()
	if err := conn.SetDeadline(asked.Add(3 * time.Second)); err != nil {
		return 0, err
	}
	if _, err := conn.Write([]byte("time?")); err != nil {
		return 0, err
	}
	var answer [64]byte
	if _, err := conn.Read(answer[:]); err != nil {
		return 0, err
	}
	return time.Since(asked), nil
}

func answer(conn net.PacketConn) {
	var question [64]byte
	for n := 1; ; n++ {
		_, from, err := conn.ReadFrom(question[:])
		if err != nil {
			return
		}
		if n%20 != 0 {
			conn.WriteTo([]byte(time.Now().String()), from)
		}
	}
}

func main() {
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go answer(conn)
	alive.Ready()
	for range time.Tick(50 * time.Millisecond) {
		go askTime(conn.LocalAddr().String())
	}
}
