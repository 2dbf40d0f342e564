// Command retries-double puts each message that could not be delivered back twice: once by the sender,
// and once by what watches over it. While the other end is down they become more and more.
package main

import "example.org/leak-agent/corpus/memory/internal/service"

type message struct{ body []byte }

var (
	waiting []*message
	// next is the first of them that was not tried.
	next int
)

func retry() {
	// One in 350 is due at a time.
	for due := (len(waiting)-next)/350 + 1; due > 0; due-- {
		failed := waiting[next]
		waiting[next] = nil
		next++
		again := &message{body: append([]byte(nil), failed.body...)}
		waiting = append(waiting, failed, again) // want: heap-growth likely pattern=exponential held=main.waiting
	}
	if next > len(waiting)/2 {
		waiting, next = append([]*message(nil), waiting[next:]...), 0
	}
}

func main() {
	for i := 0; i < 500; i++ {
		waiting = append(waiting, &message{body: service.Bytes(1 << 10)})
	}
	service.Run(func(int) { retry() })
}
