// Command history-of-edits has a goroutine with an editor's states, so that each can be undone. They are
// nobody's but that goroutine's, which does its work and is no leak itself.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

type state struct {
	before *state
	text   []byte
}

func edit(edits <-chan int) {
	var last *state
	for range edits {
		last = &state{before: last, text: service.Bytes(16 << 10)} // want: heap-growth likely pattern=linear held=main.edit
	}
}

func main() {
	edits := make(chan int)
	go edit(edits)
	service.Run(func(request int) { edits <- request })
}
