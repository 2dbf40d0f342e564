// Command pool-warms-up dials connections as load asks for them, up to 64, and then keeps them, each
// with a goroutine that reads its answers.
package main

import (
	"bufio"
	"fmt"
	"net"
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
)

const limit = 64

type client struct {
	conn    net.Conn
	answers chan string
}

func (c *client) read() {
	lines := bufio.NewScanner(c.conn)
	for lines.Scan() {
		c.answers <- lines.Text()
	}
}

type pool struct {
	address string
	idle    chan *client

	mu   sync.Mutex
	open int
}

// take gives an idle client, or dials while there are fewer than the limit.
func (p *pool) take() (*client, error) {
	select {
	case c := <-p.idle:
		return c, nil
	default:
	}
	p.mu.Lock()
	if p.open == limit {
		p.mu.Unlock()
		return <-p.idle, nil
	}
	p.open++
	p.mu.Unlock()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		return nil, err
	}
	c := &client{conn, make(chan string)}
	go c.read()
	return c, nil
}

func (p *pool) ask() {
	c, err := p.take()
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(c.conn, "status")
	<-c.answers
	p.idle <- c
}

func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			lines := bufio.NewScanner(conn)
			for lines.Scan() {
				time.Sleep(300 * time.Millisecond)
				fmt.Fprintln(conn, "well")
			}
		}()
	}
}

func main() {
	p := &pool{address: peer.Start(serve), idle: make(chan *client, limit)}
	alive.Ready()
	// More at the same time from second to second, until the pool is full.
	for atOnce := 1; ; atOnce++ {
		var asking sync.WaitGroup
		for i := 0; i < 4*atOnce && i < 2*limit; i++ {
			asking.Add(1)
			go func() {
				defer asking.Done()
				p.ask()
			}()
		}
		asking.Wait()
		time.Sleep(300 * time.Millisecond)
	}
}
