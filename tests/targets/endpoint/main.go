// Command endpoint leaks goroutines, fifty a second and 20,000 at the most, and serves its own profiles, in each of
// the ways in which programs do: by its flags. `address` answers where; the other commands are package control's.
package main

import (
	"flag"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

var (
	listen    = flag.String("listen", "127.0.0.1:0", "the address to serve at")
	prefix    = flag.String("prefix", "", "a router's group or a proxy's path before /debug/pprof/")
	basic     = flag.String("basic", "", "user:password that is asked for")
	bearer    = flag.String("bearer", "", "token that is asked for")
	folder    = flag.String("tls", "", "serve TLS, and write the certificates into this folder")
	mutual    = flag.Bool("mutual", false, "with -tls: ask for a client's certificate")
	packed    = flag.Bool("gzip", false, "pack every answer")
	noDumps   = flag.Bool("no-dumps", false, "forbid debug=2")
	noIndex   = flag.Bool("no-index", false, "serve no index, and nothing but goroutines")
	answer    = flag.String("answer", "", "answer with this in place of profiles: login, unavailable")
	redirect  = flag.String("redirect", "", "send everybody to this server")
	idle      = flag.Bool("idle", false, "leak nothing")
	cleaned   = flag.Bool("cleaned", false, "leak nothing, but leave the end of fifty goroutines a second to the collector")
	crowded   = flag.Bool("crowded", false, "leak nothing, but wait for one lock, and count who waits for whom")
	noGC      = flag.Bool("no-gc", false, "collect no garbage for whoever asks for it")
	noHeap    = flag.Bool("no-heap", false, "serve no heap profile")
	hoard     = flag.Bool("hoard", false, "leak no goroutine, but a MiB a second, and make garbage")
	cached    = flag.Bool("cached", false, "leak nothing, but fill a cache again and again, and make garbage")
	unsampled = flag.Bool("unsampled", false, "sample no allocations")
)

func main() {
	flag.Parse()
	if *unsampled {
		runtime.MemProfileRate = 0
	}
	log.SetFlags(0)
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		log.Fatal(err)
	}
	server := &http.Server{Handler: handler(), ReadHeaderTimeout: 5 * time.Second}
	server.ErrorLog = log.New(quiet{}, "", 0)
	if *folder != "" {
		server.TLSConfig = certify(*folder, *mutual)
		go server.ServeTLS(listener, "", "")
	} else {
		go server.Serve(listener)
	}
	switch {
	case *cleaned:
		debug.SetGCPercent(-1)
		go abandon()
	case *crowded:
		runtime.SetBlockProfileRate(1)
		runtime.SetMutexProfileFraction(1)
		for i := 0; i < 8; i++ {
			go queue()
		}
	case *hoard, *cached:
		go remember()
	case !*idle:
		go forget()
	}
	control.ServeQuick(map[string]control.Command{
		"address": func([]string) string { return "OK " + listener.Addr().String() },
	})
}

// forget creates goroutines that nobody receives from.
func forget() {
	ticks := time.NewTicker(20 * time.Millisecond)
	for i := 0; i < 20_000; i++ {
		<-ticks.C
		go deliver(make(chan int))
	}
}

// session is what a server keeps of who has logged in.
type session struct{ data []byte }

var (
	sessions = map[int]*session{}
	slots    [512]*session
	garbage  []byte
)

// remember keeps a session every 20 ms: each, or the last 512 of them.
func remember() {
	for i := range slots {
		if *cached {
			slots[i] = login()
		}
	}
	ticks := time.NewTicker(20 * time.Millisecond)
	for i := 0; ; i++ {
		<-ticks.C
		if *hoard {
			sessions[i] = login()
		} else {
			slots[i%len(slots)] = login()
		}
		for j := 0; j < 8; j++ {
			garbage = make([]byte, 256<<10)
		}
	}
}

//go:noinline
func login() *session { return &session{data: make([]byte, 20<<10)} }

var turn sync.Mutex

// queue takes its turn again and again.
func queue() {
	for {
		turn.Lock()
		time.Sleep(5 * time.Millisecond)
		turn.Unlock()
	}
}

// abandon makes things with a goroutine each, which a finalizer ends, and holds none of them.
func abandon() {
	ticks := time.NewTicker(20 * time.Millisecond)
	for i := 0; i < 20_000; i++ {
		<-ticks.C
		made := &worker{stop: make(chan struct{})}
		go serve(made.stop)
		runtime.SetFinalizer(made, (*worker).Close)
	}
}

// worker has a goroutine that goes on until it is closed.
type worker struct {
	stop chan struct{}
	rest [64 << 10]byte
}

func (w *worker) Close() { close(w.stop) }

//go:noinline
func serve(stop <-chan struct{}) { <-stop }

// deliver sends what nobody receives.
//
//go:noinline
func deliver(results chan<- int) { results <- 1 }

func handler() http.Handler {
	profiles := http.NewServeMux()
	if *noIndex {
		profiles.Handle("/debug/pprof/goroutine", pprof.Handler("goroutine"))
	} else {
		profiles.HandleFunc("/debug/pprof/", pprof.Index)
		profiles.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	}
	mux := http.NewServeMux()
	mux.Handle(*prefix+"/debug/pprof/", http.StripPrefix(*prefix, profiles))
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case *redirect != "":
			http.Redirect(w, r, *redirect+r.URL.RequestURI(), http.StatusTemporaryRedirect)
		case *basic != "" && *basic != user+":"+password,
			*bearer != "" && r.Header.Get("Authorization") != "Bearer "+*bearer:
			http.Error(w, "who are you?", http.StatusUnauthorized)
		case *answer == "login":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			w.Write([]byte("<!DOCTYPE html><html><head><title>Sign in</title></head></html>"))
		case *answer == "unavailable":
			http.Error(w, "no healthy upstream", http.StatusServiceUnavailable)
		case *noDumps && r.FormValue("debug") == "2":
			http.Error(w, "dumps are too dear", http.StatusForbidden)
		case *noHeap && strings.HasSuffix(r.URL.Path, "/heap"):
			http.NotFound(w, r)
		case *noGC && r.FormValue("gc") != "":
			r.Form.Del("gc")
			mux.ServeHTTP(w, r)
		case *packed && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip"):
			serveFrom(mux, w, r)
		default:
			mux.ServeHTTP(w, r)
		}
	})
}

// quiet takes what the server logs of clients that do not trust it.
type quiet struct{}

func (quiet) Write(text []byte) (int, error) { return len(text), nil }
