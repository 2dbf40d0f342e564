// Command mail-library confirms registrations by mail, with one client for all of them, and a second
// one for a campaign, closed at its end.
package main

import (
	"time"

	"example.org/leak-agent/corpus/healthy/mail-library/mail"
	"example.org/leak-agent/corpus/internal/alive"
)

type registration struct{ address string }

func (r registration) confirm(client *mail.Client) { client.Send("Dear " + r.address) }

func campaign() {
	client := mail.Dial("bulk.example.org")
	defer client.Close()
	client.Send("Dear all")
}

func main() {
	client := mail.Dial("relay.example.org")
	defer client.Close()
	alive.Ready()
	for range time.Tick(330 * time.Millisecond) {
		registration{address: "ada@example.org"}.confirm(client)
		campaign()
	}
}
