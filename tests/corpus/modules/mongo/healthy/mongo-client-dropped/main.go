// Command mongo-client-dropped connects to a database that is down, and disconnects the client whose ping
// fails.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

type archive struct{ uri string }

func (a *archive) connect() (*mongo.Client, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	client, err := mongo.Connect(ctx, options.Client().ApplyURI(a.uri))
	if err != nil {
		return nil, err
	}
	if err := client.Ping(ctx, nil); err != nil {
		client.Disconnect(context.Background())
		return nil, err
	}
	return client, nil
}

func main() {
	a := &archive{"mongodb://127.0.0.1:1"}
	alive.Ready()
	for range time.Tick(600 * time.Millisecond) {
		a.connect()
	}
}
