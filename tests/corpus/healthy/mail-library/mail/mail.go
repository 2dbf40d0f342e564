// Package mail sends letters in the background. Whoever makes a client has to close it.
package mail

// Client hands letters to a relay, one after the other.
type Client struct {
	relay   string
	letters chan string
	closed  chan struct{}
	sent    int
}

// Dial makes a client for a relay.
func Dial(relay string) *Client {
	c := &Client{relay: relay, letters: make(chan string), closed: make(chan struct{})}
	go c.dispatch()
	return c
}

func (c *Client) dispatch() {
	for {
		select {
		case <-c.letters:
			c.sent++
		case <-c.closed:
			return
		}
	}
}

// Send queues a letter.
func (c *Client) Send(letter string) { c.letters <- letter }

// Close ends the client.
func (c *Client) Close() { close(c.closed) }
