// Command etcd-watch-per-session watches the flags of each session in etcd, by a context that is never
// cancelled: the watch outlives the session.
package main

import (
	"context"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
)

type sessions struct{ client *clientv3.Client }

func (s *sessions) serve() {
	flags := s.client.Watch(context.Background(), "flags") // want: not-closed likely // cause: clientv3.WatchChan
	select {
	case <-flags:
	case <-time.After(300 * time.Millisecond):
	}
}

// server answers watches that are asked for, and has no events.
type server struct {
	etcdserverpb.UnimplementedWatchServer
}

func (server) Watch(stream etcdserverpb.Watch_WatchServer) error {
	for id := int64(0); ; id++ {
		if _, err := stream.Recv(); err != nil {
			return err
		}
		created := &etcdserverpb.WatchResponse{Header: &etcdserverpb.ResponseHeader{}, WatchId: id, Created: true}
		if err := stream.Send(created); err != nil {
			return err
		}
	}
}

func serve(listener net.Listener) {
	s := grpc.NewServer()
	etcdserverpb.RegisterWatchServer(s, server{})
	s.Serve(listener)
}

func main() {
	address := peer.Start(serve)
	client, err := clientv3.New(clientv3.Config{Endpoints: []string{address}})
	if err != nil {
		panic(err)
	}
	s := &sessions{client}
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		go s.serve()
	}
}
