// Command rising-load gets more requests all the time: a tenth more every ten seconds. Each lives for
// 300 ms, so that there are more goroutines all the time too, and never the same ones.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

func request(reply chan<- string) {
	time.Sleep(300 * time.Millisecond)
	reply <- "200"
}

func handle() string {
	reply := make(chan string, 1)
	go request(reply)
	return <-reply
}

func main() {
	alive.Ready()
	perSecond := 40.0
	for last := time.Now(); ; {
		time.Sleep(time.Duration(float64(time.Second) / perSecond))
		go handle()
		if perSecond < 400 && time.Since(last) > time.Second {
			perSecond *= 1.0096
			last = time.Now()
		}
	}
}
