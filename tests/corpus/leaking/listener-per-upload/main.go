// Command listener-per-upload opens a port for each upload, as FTP does. Nobody closes it, so that its
// accept loop waits for more clients for ever.
package main

import (
	"io"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

// open gives the address to upload to.
func open() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // want: not-closed likely // cause: net.Listener
	if err != nil {
		return "", err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go store(conn)
		}
	}()
	return listener.Addr().String(), nil
}

func store(conn net.Conn) {
	defer conn.Close()
	io.Copy(io.Discard, conn)
}

func upload(address string) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "holiday.jpg")
	return err
}

func main() {
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		address, err := open()
		if err != nil {
			panic(err)
		}
		if err := upload(address); err != nil {
			panic(err)
		}
	}
}
