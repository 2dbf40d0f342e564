module example.org/leak-agent/corpus/modules/logging

go 1.21

require (
	example.org/leak-agent/corpus v0.0.0
	github.com/fsnotify/fsnotify v1.7.0
	go.uber.org/zap v1.27.0
	gopkg.in/natefinch/lumberjack.v2 v2.2.1
)

require (
	go.uber.org/multierr v1.10.0 // indirect
	golang.org/x/sys v0.4.0 // indirect
)

replace example.org/leak-agent/corpus => ../../
