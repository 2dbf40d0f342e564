// Command chat-write-pump gives each chat client a goroutine that writes what is sent to it. A client
// who leaves is taken off the list; the channel that its writer reads stays open.
package main

import (
	"io"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type client struct {
	conn     net.Conn
	messages chan string
}

type room struct{ clients []*client }

func (r *room) enter(conn net.Conn) *client {
	c := &client{conn: conn, messages: make(chan string, 16)}
	r.clients = append(r.clients, c)
	go c.write()
	return c
}

func (c *client) write() {
	for message := range c.messages { // want: channel-receive likely pattern=unclosed-range
		io.WriteString(c.conn, message)
	}
}

func (r *room) leaveFirst() {
	r.clients[0].conn.Close()
	r.clients = r.clients[1:]
}

func (r *room) say(message string) {
	for _, c := range r.clients {
		select {
		case c.messages <- message:
		default:
		}
	}
}

func main() {
	r := new(room)
	alive.Ready()
	for {
		theirs, ours := net.Pipe()
		go io.Copy(io.Discard, theirs)
		r.enter(ours)
		if len(r.clients) > 5 {
			r.leaveFirst()
		}
		r.say("hello")
		time.Sleep(250 * time.Millisecond)
	}
}
