// Package control is how a test talks to a target: lines on its standard input, answers on its
// standard output.
//
//	dump           DUMP <bytes>, and then that many bytes of what runtime.Stack says of all goroutines
//	spawn N DEPTH  N more goroutines, each blocked below DEPTH frames; OK <spawned so far>
//	churn on|off   goroutines that are created, parked, woken and gone, as fast as possible; OK
//	spin N         N goroutines in all that never block; OK
//	alive          OK and what the target counts, or BAD and what is wrong
//	exit           OK, and the process ends
//
// The end of the input ends the process too, so that a test that dies leaves no orphan.
// It imports little: every target is built for many Go versions and build modes.
package control

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Command answers one line; args are the words behind the command's name. The answer is one line,
// beginning with OK, BAD or ERR.
type Command func(args []string) string

// Serve waits until the target's goroutines have parked, says READY, and answers commands until it
// is told to exit. Further commands, or another meaning of `alive`, come in own.
func Serve(own map[string]Command) {
	settle()
	ServeQuick(own)
}

// ServeQuick is Serve for a target that knows itself when it is ready: to dump a million
// goroutines again and again would take minutes.
func ServeQuick(own map[string]Command) {
	commands := map[string]Command{
		"spawn": spawn,
		"churn": churn,
		"spin":  spin,
		"alive": func([]string) string { return "OK goroutines=" + strconv.Itoa(runtime.NumGoroutine()) },
	}
	for name, command := range own {
		commands[name] = command
	}
	say("READY " + strconv.Itoa(os.Getpid()))
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) == 0 {
			continue
		}
		switch words[0] {
		case "dump":
			text := Dump()
			say("DUMP " + strconv.Itoa(len(text)))
			os.Stdout.Write(text)
		case "exit":
			say("OK")
			return
		default:
			command, known := commands[words[0]]
			if !known {
				say("ERR no such command: " + words[0])
				continue
			}
			say(command(words[1:]))
		}
	}
}

// Dump is what runtime.Stack says of every goroutine, whole.
func Dump() []byte {
	for size := 1 << 20; ; size *= 2 {
		buf := make([]byte, size)
		if n := runtime.Stack(buf, true); n < size {
			return buf[:n]
		}
	}
}

func say(line string) {
	os.Stdout.WriteString(line + "\n")
}

// settle waits until the number of parked goroutines has stopped changing.
func settle() {
	last, same := -1, 0
	for same < 5 {
		text := string(Dump())
		parked := strings.Count(text, "\n\ngoroutine ") -
			strings.Count(text, " [running") - strings.Count(text, " [runnable")
		if parked == last {
			same++
		} else {
			last, same = parked, 0
		}
		time.Sleep(5 * time.Millisecond)
	}
}
