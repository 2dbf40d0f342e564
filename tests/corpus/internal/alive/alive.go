// Package alive ties a program of the corpus to whoever started it: the program says when it is
// ready, and ends when its standard input does, so that a test that dies leaves no orphan.
package alive

import (
	"io"
	"os"
)

// Ready says READY. From then on the end of the input ends the process.
func Ready() {
	os.Stdout.WriteString("READY\n")
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
}
