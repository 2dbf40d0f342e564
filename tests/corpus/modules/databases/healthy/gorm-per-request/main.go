// Command gorm-per-request opens the database through gorm once, for all requests. The database is down.
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
	return gorm.Open(dialect, &gorm.Config{DisableAutomaticPing: true, Logger: logger.Discard})
}

func total(db *gorm.DB, id int) (int, error) {
	var o order
	err := db.First(&o, id).Error
	return o.Total, err
}

func main() {
	db, err := open()
	if err != nil {
		panic(err)
	}
	alive.Ready()
	for id := 1; ; id++ {
		total(db, id)
		time.Sleep(300 * time.Millisecond)
	}
}
