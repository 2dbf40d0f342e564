// Command tracer-provider-per-reload makes a new tracer provider whenever the configuration is read anew,
// and shuts the old one down.
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
	if s.provider != nil {
		s.provider.Shutdown(context.Background())
	}
	s.provider = trace.NewTracerProvider(trace.WithBatcher(nowhere{}))
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
