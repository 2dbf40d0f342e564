// Command redis-subscription-kept subscribes to the news of a customer for each page view, and takes the
// first message. The subscription is never closed: its goroutines read and ping for ever.
package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
	"github.com/redis/go-redis/v9"
)

func firstNews(ctx context.Context, client *redis.Client) string {
	news := client.Subscribe(ctx, "customer-7") // want: not-closed likely // cause: redis.PubSub
	select {
	case message := <-news.Channel():
		return message.Payload
	case <-time.After(50 * time.Millisecond):
		return "no news"
	}
}

// serve answers as much of the protocol as the client needs: an error to HELLO, a message that confirms
// to SUBSCRIBE, OK to all else.
func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go answer(conn)
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	words := bufio.NewScanner(conn)
	for words.Scan() {
		var count int
		if _, err := fmt.Sscanf(words.Text(), "*%d", &count); err != nil {
			return
		}
		command := make([]string, count)
		for i := range command {
			words.Scan()
			words.Scan()
			command[i] = words.Text()
		}
		switch strings.ToLower(command[0]) {
		case "hello":
			fmt.Fprint(conn, "-ERR unknown command\r\n")
		case "subscribe":
			name := command[1]
			fmt.Fprintf(conn, "*3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:1\r\n", len(name), name)
		case "ping":
			fmt.Fprint(conn, "+PONG\r\n")
		default:
			fmt.Fprint(conn, "+OK\r\n")
		}
	}
}

func main() {
	client := redis.NewClient(&redis.Options{Addr: peer.Start(serve)})
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		firstNews(context.Background(), client)
	}
}
