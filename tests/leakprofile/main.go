// In place of the main that runtime/testdata/testgoroutineleakprofile comes with: `cargo xtask accuracy`
// builds Go's own leaking programs with it. Theirs leaks, asks the runtime what has leaked, and ends;
// this one lets a program leak in a goroutine of its own, as a server handles a request, and stays:
//
//	dump   DUMP <bytes>, and then that many bytes of what runtime.Stack says of all goroutines
//
// The end of the input ends the process. Without a name it prints those that there are.
package main

import (
	"bufio"
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
		if lines.Text() == "dump" {
			text := dump()
			fmt.Fprintf(answers, "DUMP %d\n%s", len(text), text)
		}
	}
}

func dump() []byte {
	for size := 1 << 20; ; size *= 2 {
		text := make([]byte, size)
		if n := runtime.Stack(text, true); n < size {
			return text[:n]
		}
	}
}
