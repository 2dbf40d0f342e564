// Command handlers-added subscribes a handler to an event for each connection, and removes it when the
// connection has gone, four minutes later.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

type bus struct{ handlers map[int]func(name string) }

var events = &bus{handlers: map[int]func(name string){}}

func connect(request int) {
	buffer := service.Bytes(16 << 10)
	events.handlers[request] = func(name string) { copy(buffer, name) }
	delete(events.handlers, request-200)
}

func main() { service.Run(connect) }
