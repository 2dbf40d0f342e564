// Command premature-checkout charges a card while it checks the address. One order in twenty has a
// bad address: the checkout returns before it takes the charge's result.
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
	charged := make(chan receipt)
	go charge(o, charged)
	if err := validate(o); err != nil {
		return err
	}
	return (<-charged).err
}

func charge(o order, charged chan receipt) {
	time.Sleep(5 * time.Millisecond)
	r := receipt{order: o.id}
	charged <- r // want: channel-send likely pattern=premature-return
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
