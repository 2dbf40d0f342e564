// In place of the main that runtime/testdata/testgoroutineleakprofile comes with: `cargo xtask accuracy`
// builds Go's own leaking programs with it. Theirs leaks, asks the runtime what has leaked, and ends;
// this one lets a program leak in a goroutine of its own, as a server handles a request, and stays:
//
//	dump   DUMP <bytes>, and then that many bytes of what runtime.Stack says of all goroutines
//	leaks  the same of what the runtime's own goroutineleak profile says of them; no bytes where there is none
//	plant  OK, once there is one more goroutine that leaks, and one more that waits and does not
//
// The end of the input ends the process. Without a name it prints those that there are.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"time"
)

// The programs yield so often before they look at what has leaked.
const yieldCount = 10

var programs = map[string]func(){}

func register(name string, program func()) { programs[name] = program }

func registerInit(name string, program func()) {
	if len(os.Args) == 2 && os.Args[1] == name {
		program()
	}
}

func main() {
	if len(os.Args) != 2 {
		var names []string
		for name := range programs {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	program, known := programs[os.Args[1]]
	if !known {
		fmt.Fprintln(os.Stderr, "there is no program", os.Args[1])
		os.Exit(2)
	}
	answers := os.Stdout
	os.Stdout = os.Stderr
	// The programs ask for this profile, by the name that the build has put in place of the runtime's
	// own: to ask for that would have the runtime mark what has leaked.
	pprof.NewProfile("nothing")

	go program()
	time.Sleep(500 * time.Millisecond)
	fmt.Fprintln(answers, "READY", os.Getpid())
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		switch lines.Text() {
		case "dump":
			text := dump()
			fmt.Fprintf(answers, "DUMP %d\n%s", len(text), text)
		case "leaks":
			text := leaks()
			fmt.Fprintf(answers, "DUMP %d\n%s", len(text), text)
		case "plant":
			go plantedLeak()
			go plantedWaiter()
			time.Sleep(50 * time.Millisecond)
			fmt.Fprintln(answers, "OK")
		}
	}
}

// What a proof has to be right about in every program.
func plantedLeak() { <-make(chan int) }

var news = make(chan int)

func plantedWaiter() { <-news }

// Go 1.26 has the profile only where it is built so, and older ones have none.
func leaks() []byte {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		// The profile does so too.
		runtime.GC()
		return nil
	}
	var text bytes.Buffer
	profile.WriteTo(&text, 2)
	return text.Bytes()
}

func dump() []byte {
	for size := 1 << 20; ; size *= 2 {
		text := make([]byte, size)
		if n := runtime.Stack(text, true); n < size {
			return text[:n]
		}
	}
}
