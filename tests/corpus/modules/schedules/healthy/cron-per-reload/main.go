// Command cron-per-reload starts a new scheduler whenever the configuration is read anew, and stops the old
// one.
package main

import (
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"github.com/robfig/cron/v3"
)

type service struct{ jobs *cron.Cron }

func (s *service) reload() error {
	if s.jobs != nil {
		s.jobs.Stop()
	}
	s.jobs = cron.New()
	if _, err := s.jobs.AddFunc("@hourly", func() {}); err != nil {
		return err
	}
	s.jobs.Start()
	return nil
}

func main() {
	s := &service{}
	alive.Ready()
	for range time.Tick(300 * time.Millisecond) {
		if err := s.reload(); err != nil {
			panic(err)
		}
	}
}
