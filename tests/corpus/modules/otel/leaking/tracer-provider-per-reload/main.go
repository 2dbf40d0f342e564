// Command tracer-provider-per-reload makes a new tracer provider whenever the configuration is read anew,
// and never shuts the old one down, whose batches wait to be full.
package main

import (
	"context"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
	"go.opentelemetry.io/otel/sdk/trace"
)

// nowhere is where spans go.
type nowhere struct{}

func (nowhere) ExportSpans(context.Context, []trace.ReadOnlySpan) error { return nil }
func (nowhere) Shutdown(context.Context) error                          { return nil }

type service struct{ provider *trace.TracerProvider }

func (s *service) reload() {
	s.provider = trace.NewTracerProvider(trace.WithBatcher(nowhere{})) // want: not-closed likely // cause: trace.TracerProvider
}

func (s *service) work() {
	_, span := s.provider.Tracer("orders").Start(context.Background(), "work")
	span.End()
}

func main() {
	s := &service{}
	alive.Ready()
	for range time.Tick(400 * time.Millisecond) {
		s.reload()
		s.work()
	}
}
