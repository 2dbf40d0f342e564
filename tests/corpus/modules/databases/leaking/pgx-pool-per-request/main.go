// Command pgx-pool-per-request opens a pool of connections for each request, and never closes it.
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

func main() {
	address := peer.Start(postgres.Serve)
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		if _, err := article(address); err != nil {
			panic(err)
		}
	}
}
