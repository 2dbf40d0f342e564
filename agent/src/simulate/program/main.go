// A program that leaks as it is told: what `leak-agent simulate` runs.
package main

import (
	"flag"
	"fmt"
	"io"
	"math"
	"net/http"
	_ "net/http/pprof"
	"os"
	"time"
)

// step is how often it leaks: often enough for a curve without steps.
const step = 50 * time.Millisecond

func main() {
	kind := flag.String("type", "goroutine", "what leaks")
	rate := flag.Float64("rate", 10, "objects a second")
	bytes := flag.Int("bytes", 0, "bytes of an object, of what has any")
	pattern := flag.String("pattern", "linear", "how the number of objects goes")
	objects := flag.Int("objects", 0, "no more objects than this; 0 for no bound")
	duration := flag.Duration("duration", 0, "ends after this time; 0 for never")
	pprof := flag.String("pprof", "", "serves its profiles at this address")
	flag.Parse()

	make, known := leaks[*kind]
	curve, drawn := curves[*pattern]
	if !known || !drawn {
		fail(fmt.Errorf("no type %q or no pattern %q", *kind, *pattern))
	}
	if *pprof != "" {
		go func() { fail(http.ListenAndServe(*pprof, nil)) }()
	}
	// Whoever started it holds the other end.
	go func() {
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	takesBack = *pattern == "oscillating"
	leak, err := make(*bytes)
	if err != nil {
		fail(err)
	}
	run(leak, func(seconds float64) int {
		wanted := *rate * curve(seconds)
		if *objects > 0 {
			wanted = math.Min(wanted, float64(*objects))
		}
		return int(wanted)
	}, *duration)
}

// run keeps as many objects as are wanted by now.
func run(leak leak, wanted func(seconds float64) int, duration time.Duration) {
	begun := time.Now()
	there := 0
	for now := begun; duration == 0 || now.Sub(begun) < duration; now = time.Now() {
		for wanted := wanted(now.Sub(begun).Seconds()); there != wanted; {
			change, by := leak.add, 1
			if there > wanted {
				change, by = leak.remove, -1
			}
			if err := change(); err != nil {
				// A limit of the host's, most often: what is there stays.
				fmt.Fprintln(os.Stderr, "simulate: no more than", there, "objects:", err)
				if duration == 0 {
					select {}
				}
				time.Sleep(duration - time.Since(begun))
				return
			}
			there += by
			if duration > 0 && time.Since(begun) >= duration {
				return
			}
		}
		time.Sleep(step)
	}
}

// curves are the number of objects after so many seconds, of one a second.
var curves = map[string]func(seconds float64) float64{
	"linear": func(seconds float64) float64 { return seconds },
	// As fast at first, and twice as fast every seven seconds.
	"exponential": func(seconds float64) float64 { return 10 * (math.Exp(seconds/10) - 1) },
	// Ten seconds' worth at a time.
	"stepped": func(seconds float64) float64 { return 10 * math.Floor(seconds/10) },
	// Up and down within twenty seconds: no leak at all.
	"oscillating": func(seconds float64) float64 { return 10 * (1 - math.Cos(seconds*math.Pi/10)) },
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "simulate:", err)
	os.Exit(1)
}
