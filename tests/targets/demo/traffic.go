package main

import (
	"io"
	"net/http"
	"time"
)

// shop places an order every 16 ms, for ever: eight shoppers make about 500 orders a second.
func shop(address string, after time.Duration) {
	time.Sleep(after)
	client := &http.Client{Timeout: 5 * time.Second}
	items := []string{"tea", "coffee", "chocolate", "bread"}
	every := time.NewTicker(16 * time.Millisecond)
	defer every.Stop()
	for i := 0; ; i++ {
		<-every.C
		path := "/orders?item=" + items[i%len(items)]
		if i%50 == 49 {
			path = "/status"
		}
		answer, err := client.Get(address + path)
		if err != nil {
			continue
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}
