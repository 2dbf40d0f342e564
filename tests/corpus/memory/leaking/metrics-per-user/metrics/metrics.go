// Package metrics is a registry of histograms.
package metrics

import "sync"

// Registry has a histogram for each name and label.
type Registry struct {
	mu     sync.Mutex
	series map[[2]string]*Histogram
}

// Default is the registry of the program.
var Default = &Registry{series: map[[2]string]*Histogram{}}

// Histogram counts values.
type Histogram struct {
	mu      sync.Mutex
	buckets [200]uint64
}

// Histogram is that of a name and label.
func (r *Registry) Histogram(name, label string) *Histogram {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := [2]string{name, label}
	if r.series[key] == nil {
		r.series[key] = new(Histogram)
	}
	return r.series[key]
}

// Observe counts a value.
func (h *Histogram) Observe(value float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.buckets[int(value)%len(h.buckets)]++
}
