// Package server is as much of a Redis server as the programs beside it need.
package server

import (
	"bufio"
	"fmt"
	"net"
	"strings"
)

// Serve answers as much of the protocol as the client needs: an error to HELLO, a message that confirms
// to SUBSCRIBE, OK to all else.
func Serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go answer(conn)
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	words := bufio.NewScanner(conn)
	for words.Scan() {
		var count int
		if _, err := fmt.Sscanf(words.Text(), "*%d", &count); err != nil {
			return
		}
		command := make([]string, count)
		for i := range command {
			words.Scan()
			words.Scan()
			command[i] = words.Text()
		}
		switch strings.ToLower(command[0]) {
		case "hello":
			fmt.Fprint(conn, "-ERR unknown command\r\n")
		case "subscribe":
			name := command[1]
			fmt.Fprintf(conn, "*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n", len(name), name)
		case "ping":
			fmt.Fprint(conn, "+PONG\r\n")
		default:
			fmt.Fprint(conn, "+OK\r\n")
		}
	}
}
