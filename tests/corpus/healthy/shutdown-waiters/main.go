// Command shutdown-waiters has 25 components, each with a goroutine that waits for the shutdown to
// begin: a channel that is closed when the program is told to end.
package main

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type component struct{ name string }

func (c component) run(shutdown <-chan struct{}, left *sync.WaitGroup) {
	defer left.Done()
	<-shutdown
	time.Sleep(time.Millisecond)
}

func main() {
	shutdown := make(chan struct{})
	var left sync.WaitGroup
	for _, name := range []string{"http", "grpc", "cron", "mail", "cache"} {
		for i := 0; i < 5; i++ {
			left.Add(1)
			go component{name}.run(shutdown, &left)
		}
	}
	alive.Ready()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	<-stop
	close(shutdown)
	left.Wait()
}
