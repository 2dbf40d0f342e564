// Command resources does on request, again and again every 100 ms until it is told otherwise, what leaks
// what the kernel holds for it, or what looks like that and does not:
//
//	files      creates a file and never closes it
//	bodies     asks an HTTP server of its own for a page, and never closes the response's body
//	close-wait is connected to, is closed by the other end, and never closes its own
//	pipes      makes a pipe and closes neither end
//	children   starts a program that ends at once, and never waits for it
//	watchers   makes an inotify instance each sixth time, since a user may have but 128, and never closes it
//	mappings   maps a file and never unmaps it
//
//	pool       opens connections until there are thirty, and keeps those
//	rotation   writes logs: a new file each time, and the one before is closed
//	requests   opens a connection, uses and closes it a second later
//	waited     starts a program and waits for it
//
//	stop       does no more of it; what is held is held on; OK
//	held       OK and how many of it are held
//	open N     opens N files at once; OK
//	drop N     opens N files at once and forgets them, which leaves them to the garbage collector; OK
//	pipe N     makes N pipes at once, as descriptors that the runtime does not know of; OK
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

// pace of whatever is done.
const pace = 100 * time.Millisecond

// kept so that no finalizer closes what leaks.
var (
	mu   sync.Mutex
	kept []any
)

func keep(value any) {
	mu.Lock()
	kept = append(kept, value)
	mu.Unlock()
}

var (
	folder string
	number atomic.Int64
	stop   chan struct{}
)

func main() {
	// As in any program that has run for a while, the collector knows what leads where in large types: before that, every
	// word of a processor may, and some are left from what it did.
	runtime.GC()
	var err error
	if folder, err = os.MkdirTemp("", "leak-agent-resources-"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	begin := func(work func() error) control.Command {
		return func([]string) string {
			if stop != nil {
				return "ERR something is being done already"
			}
			stop = make(chan struct{})
			go again(work, stop)
			return "OK"
		}
	}
	control.ServeQuick(map[string]control.Command{
		"files":      begin(files),
		"bodies":     begin(bodies()),
		"close-wait": begin(closeWait()),
		"pipes":      begin(pipes),
		"children":   begin(children),
		"watchers":   begin(watchers()),
		"mappings":   begin(mappings),
		"pool":       begin(pool()),
		"rotation":   begin(rotation()),
		"requests":   begin(requests()),
		"waited":     begin(waited),
		"stop": func([]string) string {
			if stop != nil {
				close(stop)
				stop = nil
			}
			return "OK"
		},
		"held": func([]string) string {
			mu.Lock()
			defer mu.Unlock()
			return "OK " + strconv.Itoa(len(kept))
		},
		"open": func(args []string) string { return times(args, files) },
		"drop": func(args []string) string { return times(args, dropped) },
		"pipe": func(args []string) string {
			return times(args, func() error { return syscall.Pipe2(make([]int, 2), syscall.O_CLOEXEC) })
		},
	})
}

func times(args []string, work func() error) string {
	if len(args) != 1 {
		return "ERR wants a number"
	}
	many, err := strconv.Atoi(args[0])
	for ; err == nil && many > 0; many-- {
		err = work()
	}
	if err != nil {
		return "ERR " + err.Error()
	}
	return "OK"
}

func again(work func() error, stop <-chan struct{}) {
	ticker := time.NewTicker(pace)
	defer ticker.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticker.C:
			if err := work(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return
			}
		}
	}
}

func next(name string) string {
	return filepath.Join(folder, fmt.Sprintf("%s-%06d.tmp", name, number.Add(1)))
}

func files() error {
	file, err := os.Create(next("upload"))
	if err == nil {
		keep(file)
	}
	return err
}

func dropped() error {
	_, err := os.Create(next("dropped"))
	return err
}

func bodies() func() error {
	page := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		// More than the client reads unasked.
		w.Write(make([]byte, 1<<20))
	})
	server := sync.OnceValue(func() *httptest.Server { return httptest.NewServer(page) })
	return func() error {
		response, err := http.Get(server().URL)
		if err == nil {
			keep(response)
		}
		return err
	}
}

// accepting calls handle with each connection, and gives the listener's address.
func accepting(handle func(net.Conn)) func() string {
	return sync.OnceValue(func() string {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			panic(err)
		}
		go func() {
			for {
				conn, err := listener.Accept()
				if err != nil {
					return
				}
				handle(conn)
			}
		}()
		return listener.Addr().String()
	})
}

func closeWait() func() error {
	address := accepting(func(conn net.Conn) { keep(conn) })
	return func() error {
		conn, err := net.Dial("tcp", address())
		if err == nil {
			err = conn.Close()
		}
		return err
	}
}

func pipes() error {
	read, write, err := os.Pipe()
	if err == nil {
		keep(read)
		keep(write)
	}
	return err
}

func children() error {
	command := exec.Command("/bin/true")
	err := command.Start()
	if err == nil {
		keep(command)
	}
	return err
}

func watchers() func() error {
	ticks := 0
	return func() error {
		if ticks++; ticks%6 != 0 {
			return nil
		}
		watcher, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
		if err == nil {
			_, err = syscall.InotifyAddWatch(watcher, folder, syscall.IN_CREATE)
			keep(watcher)
		}
		return err
	}
}

func mappings() error {
	file, err := os.Create(next("index"))
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Truncate(4096); err != nil {
		return err
	}
	data, err := syscall.Mmap(int(file.Fd()), 0, 4096, syscall.PROT_READ, syscall.MAP_SHARED)
	if err == nil {
		keep(data)
	}
	return err
}

func pool() func() error {
	address := accepting(func(conn net.Conn) { go io.Copy(io.Discard, conn) })
	open := 0
	return func() error {
		if open == 30 {
			return nil
		}
		open++
		conn, err := net.Dial("tcp", address())
		if err == nil {
			keep(conn)
		}
		return err
	}
}

func rotation() func() error {
	var current *os.File
	return func() error {
		file, err := os.Create(next("log"))
		if err != nil {
			return err
		}
		if current != nil {
			current.Close()
			os.Remove(current.Name())
		}
		current = file
		_, err = file.WriteString("a line\n")
		return err
	}
}

func requests() func() error {
	address := accepting(func(conn net.Conn) {
		go func() {
			io.Copy(io.Discard, conn)
			conn.Close()
		}()
	})
	return func() error {
		conn, err := net.Dial("tcp", address())
		if err == nil {
			time.AfterFunc(time.Second, func() { conn.Close() })
		}
		return err
	}
}

func waited() error {
	return exec.Command("/bin/true").Run()
}
