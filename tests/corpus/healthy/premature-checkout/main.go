// Command premature-checkout charges a card once the address has been checked: nothing is started
// that an early return could abandon.
package main

import (
	"errors"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type order struct {
	id      int
	address string
}

type receipt struct {
	order int
	err   error
}

func checkout(o order) error {
	if err := validate(o); err != nil {
		return err
	}
	charged := make(chan receipt)
	go charge(o, charged)
	return (<-charged).err
}

func charge(o order, charged chan receipt) {
	time.Sleep(5 * time.Millisecond)
	charged <- receipt{order: o.id}
}

func validate(o order) error {
	if o.address == "" {
		return errors.New("no address")
	}
	return nil
}

func main() {
	alive.Ready()
	for id := 1; ; id++ {
		o := order{id: id, address: "1 Harbour Street"}
		if id%20 == 0 {
			o.address = ""
		}
		go checkout(o)
		time.Sleep(25 * time.Millisecond)
	}
}
