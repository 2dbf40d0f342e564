module example.org/leak-agent/targets

go 1.21
