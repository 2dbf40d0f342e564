// Command grpc-streams watches the health of a service for each job, for as long as the job lasts. Twelve
// more streams stay open all along.
package main

import (
	"context"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
)

type jobs struct{ client grpc_health_v1.HealthClient }

func (j *jobs) watch(ctx context.Context) (grpc_health_v1.Health_WatchClient, error) {
	return j.client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
}

func (j *jobs) run() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return j.follow(ctx)
}

// follow receives until the stream ends, which it does with its context.
func (j *jobs) follow(ctx context.Context) error {
	stream, err := j.watch(ctx)
	for err == nil {
		_, err = stream.Recv()
	}
	return err
}

func serve(listener net.Listener) {
	server := grpc.NewServer()
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	server.Serve(listener)
}

func main() {
	address := peer.Start(serve)
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		panic(err)
	}
	j := &jobs{grpc_health_v1.NewHealthClient(conn)}
	for i := 0; i < 12; i++ {
		go j.follow(context.Background())
	}
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		go j.run()
	}
}
