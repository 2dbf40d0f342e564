// Command gorm-per-request opens the database through gorm for each request. The sql.DB below it, which has
// the goroutine, is never closed. The database is down: that takes no connection.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"gorm.io/driver/mysql"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

type order struct{ ID, Total int }

func open() (*gorm.DB, error) {
	dialect := mysql.New(mysql.Config{DSN: "shop@tcp(127.0.0.1:1)/shop", SkipInitializeWithVersion: true})
	return gorm.Open(dialect, &gorm.Config{DisableAutomaticPing: true, Logger: logger.Discard}) // want: not-closed likely // cause: gorm.DB
}

func total(id int) (int, error) {
	db, err := open()
	if err != nil {
		return 0, err
	}
	var o order
	err = db.First(&o, id).Error
	return o.Total, err
}

func main() {
	alive.Ready()
	for id := 1; ; id++ {
		total(id)
		time.Sleep(300 * time.Millisecond)
	}
}
