//go:build go1.23

package main

import (
	"iter"
	"strconv"
)

var stops []func()

//go:noinline
func pull(args []string) string {
	count, err := number(args)
	if err != nil {
		return "ERR pull wants a number"
	}
	for i := 0; i < count; i++ {
		next, stop := iter.Pull(func(yield func(int) bool) {
			for n := 0; yield(n); n++ {
			}
		})
		next()
		stops = append(stops, stop)
	}
	return "OK " + strconv.Itoa(count)
}

func unpull([]string) string {
	for _, stop := range stops {
		stop()
	}
	stops = nil
	return "OK"
}
