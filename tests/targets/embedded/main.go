// Command embedded AGENT [FLAGS...] starts the agent as its own child, leaks goroutines, and says what it is told:
//
//	EVENT <kind> <class> <verdict> <function>
//	ENDED <error>
//
// Commands:
//
//	stop    ends the agent; OK
//
// The others are package control's.
package main

import (
	"fmt"
	"os"
	"time"

	"example.org/leak-agent/leakagent"
	"example.org/leak-agent/targets/internal/control"
)

func main() {
	agent, err := leakagent.Start(leakagent.Options{
		Path:  os.Args[1],
		Flags: os.Args[2:],
		OnEvent: func(event leakagent.Event) {
			at := "-"
			if event.Finding.At != nil {
				at = event.Finding.At.Function
			}
			fmt.Fprintln(os.Stderr, "EVENT", event.Kind, event.Finding.Class, event.Finding.Verdict, at)
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "ENDED", err)
	} else {
		go func() {
			<-agent.Done()
			fmt.Fprintln(os.Stderr, "ENDED", agent.Err())
		}()
	}
	go func() {
		for {
			go leak(make(chan int))
			time.Sleep(50 * time.Millisecond)
		}
	}()
	control.ServeQuick(map[string]control.Command{
		"stop": func([]string) string { agent.Stop(); return "OK" },
	})
}

//go:noinline
func leak(never chan int) { <-never }
