// Command peers parses a file as others do, again and again, for `cargo xtask bench parse`:
//
//	peers gostackparse FILE   goroutine dumps, with github.com/DataDog/gostackparse
//	peers pprof FILE          counts, with github.com/google/pprof/profile
//
// Each line of its standard input asks for one round; the answer is the seconds that it took and how many
// goroutines, or stacks, were found.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/DataDog/gostackparse"
	"github.com/google/pprof/profile"
)

func main() {
	if len(os.Args) != 3 {
		fail("usage: peers gostackparse|pprof FILE")
	}
	parse := map[string]func(io.Reader) (int, error){"gostackparse": stacks, "pprof": counts}[os.Args[1]]
	if parse == nil {
		fail("there is no peer " + os.Args[1])
	}
	text, err := os.ReadFile(os.Args[2])
	if err != nil {
		fail(err.Error())
	}
	asked := bufio.NewScanner(os.Stdin)
	for asked.Scan() {
		start := time.Now()
		found, err := parse(bytes.NewReader(text))
		if err != nil {
			fail(err.Error())
		}
		fmt.Println(time.Since(start).Seconds(), found)
	}
}

func stacks(text io.Reader) (int, error) {
	goroutines, errs := gostackparse.Parse(text)
	if len(errs) > 0 {
		return 0, errs[0]
	}
	return len(goroutines), nil
}

func counts(text io.Reader) (int, error) {
	parsed, err := profile.Parse(text)
	if err != nil {
		return 0, err
	}
	return len(parsed.Sample), nil
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, "peers: "+why)
	os.Exit(1)
}
