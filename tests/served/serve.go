// Added by `go build -overlay` to the programs of tests/corpus: `cargo xtask accuracy --source url` judges them by
// what they serve. Where CORPUS_SERVE names a file, /debug/pprof/ is served, and its address is in that file
// before main begins. With CORPUS_SERVE_COUNTS the program refuses all forms of goroutines but debug=1.
package main

import (
	"net"
	"net/http"
	"net/http/pprof"
	"os"
)

func init() {
	file := os.Getenv("CORPUS_SERVE")
	if file == "" {
		return
	}
	// A process that this one starts is not to serve too.
	os.Unsetenv("CORPUS_SERVE")
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	if err := os.WriteFile(file, []byte(listener.Addr().String()), 0o600); err != nil {
		panic(err)
	}
	onlyCounts := os.Getenv("CORPUS_SERVE_COUNTS") != ""
	// The program may use the default one for its own purposes.
	mux := http.NewServeMux()
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/", func(w http.ResponseWriter, r *http.Request) {
		tellsGoroutines := r.URL.Path == "/debug/pprof/goroutine" || r.URL.Path == "/debug/pprof/goroutineleak"
		if onlyCounts && tellsGoroutines && r.FormValue("debug") != "1" {
			http.Error(w, "counts only", http.StatusForbidden)
			return
		}
		pprof.Index(w, r)
	})
	go http.Serve(listener, mux)
}
