// Command mail-library confirms registrations by mail, with a new client for each, which it does not
// close: see package mail.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/leaking/mail-library/mail"
)

type registration struct{ address string }

func (r registration) confirm() {
	client := mail.Dial("relay.example.org")
	client.Send("Dear " + r.address)
}

func main() {
	alive.Ready()
	for range time.Tick(330 * time.Millisecond) {
		registration{address: "ada@example.org"}.confirm()
	}
}
