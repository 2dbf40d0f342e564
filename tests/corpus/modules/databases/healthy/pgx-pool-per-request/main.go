// Command pgx-pool-per-request opens one pool of connections for all requests.
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

func article(pool *pgxpool.Pool) (string, error) {
	var name string
	err := pool.QueryRow(context.Background(), "select name from articles").Scan(&name)
	return name, err
}

func main() {
	pool, err := open(peer.Start(postgres.Serve))
	if err != nil {
		panic(err)
	}
	defer pool.Close()
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		if _, err := article(pool); err != nil {
			panic(err)
		}
	}
}
