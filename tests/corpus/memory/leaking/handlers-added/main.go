// Command handlers-added subscribes a handler to an event for each connection, and removes none when
// the connection has gone. Each handler has what it was made for.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

type bus struct {
	handlers map[string][]func(name string)
}

func (b *bus) on(event string, handler func(name string)) {
	b.handlers[event] = append(b.handlers[event], handler) // want: heap-growth likely pattern=linear held=main.events
}

var events = &bus{handlers: map[string][]func(name string){}}

func connect(request int) {
	buffer := service.Bytes(16 << 10)
	events.on("config-changed", func(name string) { copy(buffer, name) })
	_ = buffer[request%len(buffer)]
}

func main() { service.Run(connect) }
