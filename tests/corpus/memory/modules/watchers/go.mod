module example.org/leak-agent/corpus/memory/modules/watchers

go 1.21

require (
	example.org/leak-agent/corpus v0.0.0
	github.com/fsnotify/fsnotify v1.7.0
)

require golang.org/x/sys v0.4.0 // indirect

replace example.org/leak-agent/corpus => ../../../
