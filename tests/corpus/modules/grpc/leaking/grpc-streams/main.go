// Command grpc-streams watches the health of a service for each job, and forgets to end the stream of a
// job that is done: each stream has a goroutine of gRPC that waits for its context.
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
	return j.client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{}) // want: not-closed likely // cause: grpc.ClientStream
}

func (j *jobs) run() error {
	stream, err := j.watch(context.Background())
	if err != nil {
		return err
	}
	_, err = stream.Recv()
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
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		if err := j.run(); err != nil {
			panic(err)
		}
	}
}
