// Command kafka-reader-per-report reads prices from Kafka with a reader for each report. The broker is
// down, the report gives up, and the reader is dropped without Close: it goes on trying.
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
	reader := kafka.NewReader(config()) // want: not-closed likely // cause: kafka.Reader
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	message, err := reader.ReadMessage(ctx)
	return string(message.Value), err
}

func main() {
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		report()
	}
}
