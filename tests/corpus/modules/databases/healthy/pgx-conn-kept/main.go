// Command pgx-conn-kept takes a connection from the pool for each job, and gives it back.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"example.org/leak-agent/corpus/internal/peer"
	"example.org/leak-agent/corpus/modules/databases/internal/postgres"
	"github.com/jackc/pgx/v5"
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
	conn, err := s.pool.Acquire(context.Background())
	if err != nil {
		return err
	}
	defer conn.Release()
	var name string
	if err := conn.QueryRow(context.Background(), "select name from articles").Scan(&name); err != nil {
		return err
	}
	if name == "lamp" {
		return nil
	}
	return nil
}

func main() {
	pool, err := open(peer.Start(postgres.Serve))
	if err != nil {
		panic(err)
	}
	s := &shop{pool}
	alive.Ready()
	for range time.Tick(250 * time.Millisecond) {
		go s.job()
	}
}
