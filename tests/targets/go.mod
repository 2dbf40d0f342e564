module example.org/leak-agent/targets

go 1.21

require example.org/leak-agent/leakagent v0.0.0

replace example.org/leak-agent/leakagent => ../../agent/go/leakagent
