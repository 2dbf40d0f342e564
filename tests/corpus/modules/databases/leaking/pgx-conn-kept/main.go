// Command pgx-conn-kept takes a connection from the pool for each job, and forgets to give it back where the
// job has nothing to do. Once all four are gone, every job waits for one.
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
	return pgxpool.NewWithConfig(context.Background(), config)
}

type shop struct{ pool *pgxpool.Pool }

func (s *shop) job() error {
	conn, err := s.pool.Acquire(context.Background()) // want: select likely
	if err != nil {
		return err
	}
	var name string
	if err := conn.QueryRow(context.Background(), "select name from articles").Scan(&name); err != nil {
		return err
	}
	if name == "lamp" {
		return nil
	}
	conn.Release()
	return nil
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
	pool, err := open(peer.Start(serve))
	if err != nil {
		panic(err)
	}
	s := &shop{pool}
	alive.Ready()
	for range time.Tick(250 * time.Millisecond) {
		go s.job()
	}
}
