package main

import (
	"errors"
	"net"
	"os"
)

// leakFiles leaks files that are opened and never closed.
func leakFiles(int) (leak, error) {
	var files stack[*os.File]
	add := func() error {
		file, err := os.Open(os.Args[0])
		if err == nil {
			files.hold(file)
		}
		return err
	}
	return leak{add, func() error { return files.pop().Close() }}, nil
}

// leakConnections leaks connections that the other side has closed, and this one has not.
func leakConnections(int) (leak, error) {
	address, err := serve(func(conn *net.TCPConn) { conn.Close() })
	if err != nil {
		return leak{}, err
	}
	var conns stack[net.Conn]
	add := func() error {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conns.hold(conn)
		}
		return err
	}
	return leak{add, func() error { return conns.pop().Close() }}, nil
}

// leakReaders leaks goroutines that wait for an answer which never comes.
func leakReaders(int) (leak, error) {
	var silent stack[*net.TCPConn]
	accepted := make(chan *net.TCPConn)
	address, err := serve(func(conn *net.TCPConn) { accepted <- conn })
	if err != nil {
		return leak{}, err
	}
	add := func() error {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		silent.hold(<-accepted)
		go readAnswer(conn)
		return nil
	}
	return leak{add, func() error { return silent.pop().Close() }}, nil
}

func readAnswer(conn net.Conn) {
	defer conn.Close()
	conn.Read(make([]byte, 1))
}

// serve accepts connections on a port of this host.
func serve(each func(*net.TCPConn)) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			if err == nil {
				each(conn.(*net.TCPConn))
			}
		}
	}()
	return listener.Addr().String(), nil
}
