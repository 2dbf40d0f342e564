// Command grpc-server-down has ten connections to servers that are down. gRPC tries again, ever more
// seldom, and calls fail meanwhile.
package main

import (
	"context"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
)

// freePort gives an address at which nobody listens.
func freePort() string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func ask(conn *grpc.ClientConn) {
	client := grpc_health_v1.NewHealthClient(conn)
	for range time.Tick(time.Second) {
		ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
		client.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
		cancel()
	}
}

func main() {
	for i := 0; i < 10; i++ {
		conn, err := grpc.NewClient(freePort(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			panic(err)
		}
		go ask(conn)
	}
	alive.Ready()
	select {}
}
