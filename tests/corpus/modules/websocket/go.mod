module example.org/leak-agent/corpus/modules/websocket

go 1.21

require (
	example.org/leak-agent/corpus v0.0.0
	github.com/gorilla/websocket v1.5.1
)

require golang.org/x/net v0.17.0 // indirect

replace example.org/leak-agent/corpus => ../../
