package main

// subscribe waits for an event that nobody sends.
func subscribe() {
	events := make(chan int)
	go receiveEvent(events)
}

//go:noinline
func receiveEvent(events chan int) {
	<-events
}

// publish sends a result that nobody takes.
func publish() {
	results := make(chan int)
	go sendResult(results)
}

//go:noinline
func sendResult(results chan int) {
	results <- 1
}

// watch is never told to stop.
func watch() {
	changes, stop := make(chan int), make(chan struct{})
	go watchChanges(changes, stop)
}

//go:noinline
func watchChanges(changes chan int, stop chan struct{}) {
	for {
		select {
		case <-changes:
		case <-stop:
			return
		}
	}
}
