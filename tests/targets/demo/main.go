// Command demo is a small order service with one honest mistake in it: the target of
// `cargo xtask demo`. It serves on the loopback interface and sends its own traffic.
//
// What its goroutines are: the leak (see pricing.go: about 50 more a second, 20,000 at the most),
// a pool of idle workers, the server's connections, the traffic's clients. It prints READY and its
// pid, and ends on SIGTERM, on Ctrl-C, or after -for.
package main

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	lifetime := flag.Duration("for", 30*time.Minute, "end after this time")
	flag.Parse()
	log.SetFlags(0)
	log.SetPrefix("demo: ")

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	service := newService()
	server := &http.Server{Handler: service.routes(), ReadHeaderTimeout: 5 * time.Second}
	go server.Serve(listener)

	shoppers := 8
	for i := 0; i < shoppers; i++ {
		go shop("http://"+listener.Addr().String(), time.Duration(i)*7*time.Millisecond)
	}
	fmt.Println("READY", os.Getpid())

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	select {
	case <-stop:
	case <-time.After(*lifetime):
	}
}
