module example.org/leak-agent/leakagent

go 1.21
