// Package remote is a database at the other end of a connection: enough of a server, and of a driver for
// database/sql.
package remote

import (
	"bufio"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"

	"example.org/leak-agent/corpus/internal/peer"
)

var errNone = errors.New("the database only answers queries")

// Start starts the database in a process of its own and opens it. It comes first in main.
func Start() *sql.DB {
	address := peer.Start(serve)
	sql.Register("remote", remote{})
	db, err := sql.Open("remote", address)
	if err != nil {
		panic(err)
	}
	return db
}

func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			for queries := bufio.NewScanner(conn); queries.Scan(); {
				fmt.Fprintln(conn, 3)
			}
		}()
	}
}

type remote struct{}

func (remote) Open(address string) (driver.Conn, error) {
	opened, err := net.Dial("tcp", address)
	return conn{opened}, err
}

type conn struct{ net.Conn }

func (c conn) Prepare(string) (driver.Stmt, error) { return stmt(c), nil }
func (conn) Begin() (driver.Tx, error)             { return nil, errNone }

type stmt struct{ net.Conn }

func (stmt) Close() error                               { return nil }
func (stmt) NumInput() int                              { return -1 }
func (stmt) Exec([]driver.Value) (driver.Result, error) { return nil, errNone }

func (s stmt) Query([]driver.Value) (driver.Rows, error) {
	if _, err := fmt.Fprintln(s.Conn, "list"); err != nil {
		return nil, driver.ErrBadConn
	}
	it := new(rows)
	_, err := fmt.Fscanln(s.Conn, &it.left)
	return it, err
}

type rows struct{ left int64 }

func (*rows) Columns() []string { return []string{"total"} }
func (*rows) Close() error      { return nil }

func (r *rows) Next(to []driver.Value) error {
	if r.left == 0 {
		return io.EOF
	}
	to[0] = r.left
	r.left--
	return nil
}
