module example.org/leak-agent/corpus

go 1.21
