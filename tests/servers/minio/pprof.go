// The one file that is added to minio's own main package when it is built as a target of the
// tests: minio shows its profiles to administrators only, and the tests need them to compare with.

package main

import (
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
)

func init() {
	address, wanted := os.LookupEnv("PPROF_ADDRESS")
	if !wanted {
		return
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		os.Stderr.WriteString("pprof: " + err.Error() + "\n")
		os.Exit(1)
	}
	go http.Serve(listener, nil)
}
