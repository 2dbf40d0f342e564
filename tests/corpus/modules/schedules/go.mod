module example.org/leak-agent/corpus/modules/schedules

go 1.21

require (
	example.org/leak-agent/corpus v0.0.0
	github.com/robfig/cron/v3 v3.0.1
	golang.org/x/sync v0.7.0
)

replace example.org/leak-agent/corpus => ../../
