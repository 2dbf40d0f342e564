// Command labels leaves goroutines with profiler labels. What each function's goroutines carry:
//
//	plain       nothing
//	one         endpoint=/checkout
//	several     endpoint=/orders, tenant=north, empty=""
//	odd         "a key"="quotes \" and ümlauts", brace={}
//	inherited   job=nightly, from the goroutine that created it
//	nested      job=nightly, step=2 (the inner label replaces the outer step=1)
//	many        k00=v00 to k11=v11
//	cleared     nothing, though its creator has a label
//
// The main goroutine serves package control's commands.
package main

import (
	"context"
	"fmt"
	"runtime/pprof"

	"example.org/leak-agent/targets/internal/control"
)

var never = make(chan int)

func main() {
	bare := context.Background()
	go plain(bare)
	go pprof.Do(bare, pprof.Labels("endpoint", "/checkout"), one)
	go pprof.Do(bare, pprof.Labels("tenant", "north", "endpoint", "/orders", "empty", ""), several)
	go pprof.Do(bare, pprof.Labels("a key", "quotes \" and ümlauts", "brace", "{}"), odd)
	go pprof.Do(bare, pprof.Labels("job", "nightly"), func(ctx context.Context) {
		go inherited(ctx)
		<-never
	})
	go pprof.Do(bare, pprof.Labels("job", "nightly", "step", "1"), func(ctx context.Context) {
		pprof.Do(ctx, pprof.Labels("step", "2"), nested)
	})
	var pairs []string
	for i := 0; i < 12; i++ {
		pairs = append(pairs, fmt.Sprintf("k%02d", i), fmt.Sprintf("v%02d", i))
	}
	go pprof.Do(bare, pprof.Labels(pairs...), many)
	go pprof.Do(bare, pprof.Labels("job", "gone"), func(ctx context.Context) {
		go cleared(bare)
		<-never
	})
	control.Serve(nil)
}

func plain(context.Context)     { <-never }
func one(context.Context)       { <-never }
func several(context.Context)   { <-never }
func odd(context.Context)       { <-never }
func inherited(context.Context) { <-never }
func nested(context.Context)    { <-never }
func many(context.Context)      { <-never }

func cleared(ctx context.Context) {
	pprof.SetGoroutineLabels(ctx)
	<-never
}
