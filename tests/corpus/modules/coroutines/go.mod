module example.org/leak-agent/corpus/modules/coroutines

go 1.23

require example.org/leak-agent/corpus v0.0.0

replace example.org/leak-agent/corpus => ../../
