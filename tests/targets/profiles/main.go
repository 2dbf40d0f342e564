// Command profiles has one goroutine in each state, each in a function of its own, and writes every
// profile of itself: the program that the fixtures of tests/fixtures are made of.
//
//	profiles write DIR   writes profiles into a folder, and ends
//	profiles panic       panics with every goroutine in its trace (GOTRACEBACK=all)
//	profiles deadlock    leaves no goroutine that could go on
//	profiles race        lets the race detector report (built with -race)
//	profiles quit        sends itself SIGQUIT
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"syscall"
	"time"
)

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "write":
		startAll()
		write(os.Args[2])
	case len(os.Args) == 2 && os.Args[1] == "panic":
		startAll()
		panic("for a fixture:\n" + time.UnixMilli(0).UTC().String())
	case len(os.Args) == 2 && os.Args[1] == "deadlock":
		deadlock()
	case len(os.Args) == 2 && os.Args[1] == "race":
		race()
	case len(os.Args) == 2 && os.Args[1] == "quit":
		startAll()
		syscall.Kill(os.Getpid(), syscall.SIGQUIT)
		select {}
	default:
		os.Stderr.WriteString("usage: profiles write DIR|panic|deadlock|race|quit\n")
		os.Exit(2)
	}
}

// startAll starts every goroutine, and waits until all have parked.
func startAll() {
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	keep = append(keep, make([]byte, 8<<20))
	contend()
	startBubble()
	startStates()
	time.Sleep(200 * time.Millisecond)
}

// write writes each profile that this version has, as text and in pprof's own form.
func write(folder string) {
	for _, name := range []string{"goroutine", "goroutineleak", "block", "mutex", "heap", "threadcreate"} {
		profile := pprof.Lookup(name)
		if profile == nil {
			continue
		}
		into(folder+"/"+name+".pb.gz", profile, 0)
		into(folder+"/"+name+".txt", profile, 1)
		if name == "goroutine" || name == "goroutineleak" {
			into(folder+"/"+name+".dump", profile, 2)
		}
	}
}

func into(path string, profile *pprof.Profile, debug int) {
	file, err := os.Create(path)
	if err != nil {
		panic(err)
	}
	if err := profile.WriteTo(file, debug); err != nil {
		panic(err)
	}
	if err := file.Close(); err != nil {
		panic(err)
	}
}
