// Command unclosed KIND [closed] makes something again and again and never closes it, five times a second; with
// `closed` it does close it. What is made has goroutines of the standard library's own, so that no line of this
// program is on their stacks:
//
//	transport  an http.Transport a call, to a server of the program's own
//	body       an HTTP response whose body is neither read nor closed
//	pool       a sql.DB a request
//	rpc        an rpc.Client a call
//	child      a child process whose own child keeps its output open
//	clients    nothing: it is a server whose clients keep their connections (`dial` makes them)
//	shared     an http.Client that is shared, with as many calls
//
// The commands are package control's.
package main

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"os"
	"os/exec"
	"strings"
	"time"

	"example.org/leak-agent/targets/internal/control"
)

const every = 200 * time.Millisecond

var kinds = map[string]func(url string, closes bool){
	"transport": callWithTransport,
	"body":      askWithoutReading,
	"pool":      openPool,
	"rpc":       callRemote,
	"child":     runChild,
	"clients":   keepConnection,
	"shared":    callShared,
}

func main() {
	if len(os.Args) < 2 || kinds[os.Args[1]] == nil {
		os.Stderr.WriteString("usage: unclosed KIND [closed]\n")
		os.Exit(2)
	}
	make, closes := kinds[os.Args[1]], len(os.Args) > 2
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		os.Stderr.WriteString("unclosed: " + err.Error() + "\n")
		os.Exit(1)
	}
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, strings.Repeat("x", 20000))
	})
	rpc.HandleHTTP()
	go http.Serve(listener, nil)
	go func() {
		for {
			make(listener.Addr().String(), closes)
			time.Sleep(every)
		}
	}()
	control.ServeQuick(nil)
}

func callWithTransport(address string, closes bool) {
	transport := &http.Transport{}
	if closes {
		defer transport.CloseIdleConnections()
	}
	client := &http.Client{Transport: transport}
	drain(client.Get("http://" + address))
}

func callShared(address string, _ bool) {
	drain(http.Get("http://" + address))
}

func drain(response *http.Response, err error) {
	if err != nil {
		return
	}
	io.Copy(io.Discard, response.Body)
	response.Body.Close()
}

func askWithoutReading(address string, closes bool) {
	response, err := http.Get("http://" + address)
	if err == nil && closes {
		response.Body.Close()
	}
}

func callRemote(address string, closes bool) {
	client, err := rpc.DialHTTP("tcp", address)
	if err == nil && closes {
		client.Close()
	}
}

func runChild(_ string, closes bool) {
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), every)
		defer cancel()
		child := exec.CommandContext(ctx, "sh", "-c", "sleep 40 & wait")
		if closes {
			child.Cancel = nil
			child = exec.CommandContext(ctx, "sleep", "40")
		}
		child.CombinedOutput()
	}()
}

// keepConnection is the far end of a server's connection, in a bare descriptor: it has no goroutine.
func keepConnection(address string, closes bool) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if closes {
		conn.Close()
		return
	}
	kept = append(kept, conn)
}

var kept []net.Conn

func openPool(_ string, closes bool) {
	db := sql.OpenDB(connector{})
	if closes {
		defer db.Close()
	}
	db.Ping()
}

// connector is a driver of connections that do nothing.
type connector struct{}

var errNothing = errors.New("this driver does nothing")

func (connector) Connect(context.Context) (driver.Conn, error) { return connector{}, nil }
func (connector) Driver() driver.Driver                        { return nil }
func (connector) Prepare(string) (driver.Stmt, error)          { return nil, errNothing }
func (connector) Begin() (driver.Tx, error)                    { return nil, errNothing }
func (connector) Close() error                                 { return nil }
