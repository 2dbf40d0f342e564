module example.org/leak-agent/corpus/memory/modules/native

go 1.21

require example.org/leak-agent/corpus v0.0.0

replace example.org/leak-agent/corpus => ../../../
