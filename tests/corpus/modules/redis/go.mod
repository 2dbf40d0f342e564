module example.org/leak-agent/corpus/modules/redis

go 1.21

require (
	example.org/leak-agent/corpus v0.0.0
	github.com/redis/go-redis/v9 v9.5.1
)

require (
	github.com/cespare/xxhash/v2 v2.2.0 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
)

replace example.org/leak-agent/corpus => ../../
