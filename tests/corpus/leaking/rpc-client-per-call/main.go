// Command rpc-client-per-call dials the stock service for each question and never closes the client,
// whose goroutine waits for answers to come.
package main

import (
	"net"
	"net/rpc"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
)

// Stock is the service: how many there are of an article.
type Stock struct{}

// Count answers with the article's number, which serves as well as any.
func (Stock) Count(article int, count *int) error {
	*count = article
	return nil
}

func inStock(address string, article int) (int, error) {
	client, err := rpc.Dial("tcp", address) // want: not-closed likely // cause: rpc.Client
	if err != nil {
		return 0, err
	}
	var count int
	err = client.Call("Stock.Count", article, &count)
	return count, err
}

func serve(listener net.Listener) {
	if err := rpc.Register(Stock{}); err != nil {
		panic(err)
	}
	rpc.Accept(listener)
}

func main() {
	address := peer.Start(serve)
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		if _, err := inStock(address, 7); err != nil {
			panic(err)
		}
	}
}
