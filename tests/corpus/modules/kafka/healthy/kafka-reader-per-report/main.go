// Command kafka-reader-per-report reads prices from Kafka with a reader for each report, and closes it. The
// broker is down; one more reader stays, and goes on trying.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/segmentio/kafka-go"
)

func config() kafka.ReaderConfig {
	return kafka.ReaderConfig{Brokers: []string{"127.0.0.1:1"}, Topic: "prices"}
}

func report() (string, error) {
	reader := kafka.NewReader(config())
	defer reader.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	message, err := reader.ReadMessage(ctx)
	return string(message.Value), err
}

func main() {
	alive.Ready()
	go kafka.NewReader(config()).ReadMessage(context.Background())
	for range time.Tick(400 * time.Millisecond) {
		report()
	}
}
