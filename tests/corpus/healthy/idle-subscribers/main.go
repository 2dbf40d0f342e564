// Command idle-subscribers has a hundred subscribers on fifty topics. Most topics never see a message,
// and their subscribers wait for as long as the program runs.
package main

import (
	"strconv"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type topic struct {
	name        string
	subscribers []chan string
}

func (t *topic) subscribe(handle func(string)) {
	messages := make(chan string, 4)
	t.subscribers = append(t.subscribers, messages)
	go func() {
		for message := range messages {
			handle(message)
		}
	}()
}

func (t *topic) publish(message string) {
	for _, messages := range t.subscribers {
		messages <- message
	}
}

func main() {
	topics := make([]*topic, 50)
	for i := range topics {
		topics[i] = &topic{name: "topic-" + strconv.Itoa(i)}
		topics[i].subscribe(func(string) {})
		topics[i].subscribe(func(string) {})
	}
	alive.Ready()
	for range time.Tick(time.Second) {
		topics[0].publish("hello")
		topics[1].publish("hello")
	}
}
