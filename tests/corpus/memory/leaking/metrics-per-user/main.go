// Command metrics-per-user labels its histograms with the user's number: each makes a series of its own
// in the registry, for good.
package main

import (
	"strconv"

	"example.org/leak-agent/corpus/memory/internal/service"
	"example.org/leak-agent/corpus/memory/leaking/metrics-per-user/metrics"
)

func main() {
	service.Run(func(request int) {
		for user := request * 10; user < request*10+10; user++ {
			metrics.Default.Histogram("latency", strconv.Itoa(user)).Observe(float64(user % 90)) // want: heap-growth likely pattern=linear held=example.org/leak-agent/corpus/memory/leaking/metrics-per-user/metrics.Default
		}
	})
}
