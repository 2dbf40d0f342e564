// Package peer gives a program of the corpus the other end of its connections in a process of its
// own, as production has it: the program starts itself anew, as the peer.
package peer

import (
	"bufio"
	"io"
	"net"
	"os"
	"strings"
)

// role is the environment variable that makes a process a peer.
const role = "CORPUS_PEER"

// input is the end of the peer's input that this process never closes.
var input *os.File

// Start starts a process that serves on a listener of its own, and gives the listener's address.
// The peer ends when its program does. It comes first in main: in the peer it never returns.
func Start(serve func(net.Listener)) string {
	if os.Getenv(role) != "" {
		run(serve)
	}
	address, err := start()
	if err != nil {
		panic(err)
	}
	return address
}

func run(serve func(net.Listener)) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	os.Stdout.WriteString(listener.Addr().String() + "\n")
	os.Stdout.Close()
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	serve(listener)
	select {}
}

// start goes by os.StartProcess: os/exec would leave goroutines in the program.
func start() (string, error) {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return "", err
	}
	input = ours
	defer theirs.Close()
	said, output, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer said.Close()
	process, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Env:   append(os.Environ(), role+"=1"),
		Files: []*os.File{theirs, output, os.Stderr},
	})
	output.Close()
	if err != nil {
		return "", err
	}
	process.Release()
	line, err := bufio.NewReader(said).ReadString('\n')
	return strings.TrimSpace(line), err
}
