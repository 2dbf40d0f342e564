// Command redis-subscription-kept subscribes to the news of a customer for each page view, takes the first
// message and closes the subscription.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
	"example.org/leak-agent/corpus/modules/redis/internal/server"
	"github.com/redis/go-redis/v9"
)

func firstNews(ctx context.Context, client *redis.Client) string {
	news := client.Subscribe(ctx, "customer-7")
	defer news.Close()
	select {
	case message := <-news.Channel():
		return message.Payload
	case <-time.After(50 * time.Millisecond):
		return "no news"
	}
}

func main() {
	client := redis.NewClient(&redis.Options{Addr: peer.Start(server.Serve)})
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		firstNews(context.Background(), client)
	}
}
