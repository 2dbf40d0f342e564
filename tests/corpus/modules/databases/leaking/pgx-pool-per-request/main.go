// Command pgx-pool-per-request opens a pool of connections for each request, and never closes it.
package main

import (
	"context"
	"net"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"
)

func open(address string) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig("postgres://shop@" + address + "/shop?sslmode=disable&pool_max_conns=4")
	if err != nil {
		return nil, err
	}
	config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	return pgxpool.NewWithConfig(context.Background(), config) // want: not-closed likely // cause: pgxpool.Pool
}

func article(address string) (string, error) {
	pool, err := open(address)
	if err != nil {
		return "", err
	}
	var name string
	err = pool.QueryRow(context.Background(), "select name from articles").Scan(&name)
	return name, err
}

// serve lets everybody in, and answers every query with one row of one column.
func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go answer(conn)
	}
}

func answer(conn net.Conn) {
	defer conn.Close()
	backend := pgproto3.NewBackend(conn, conn)
	if _, err := backend.ReceiveStartupMessage(); err != nil {
		return
	}
	backend.Send(&pgproto3.AuthenticationOk{})
	for name, value := range map[string]string{"standard_conforming_strings": "on", "client_encoding": "UTF8"} {
		backend.Send(&pgproto3.ParameterStatus{Name: name, Value: value})
	}
	backend.Send(&pgproto3.BackendKeyData{ProcessID: 1, SecretKey: 1})
	ready := &pgproto3.ReadyForQuery{TxStatus: 'I'}
	backend.Send(ready)
	for backend.Flush() == nil {
		message, err := backend.Receive()
		if err != nil {
			return
		}
		if _, is := message.(*pgproto3.Query); is {
			column := pgproto3.FieldDescription{Name: []byte("name"), DataTypeOID: 25, DataTypeSize: -1, TypeModifier: -1}
			backend.Send(&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{column}})
			backend.Send(&pgproto3.DataRow{Values: [][]byte{[]byte("lamp")}})
			backend.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
			backend.Send(ready)
		}
	}
}

func main() {
	address := peer.Start(serve)
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		if _, err := article(address); err != nil {
			panic(err)
		}
	}
}
