//go:build !go1.25

package main

// startCleanup does nothing: cleanups came with Go 1.24, which runs them on the finalizers' goroutine,
// so that one of the two could not block.
func startCleanup() {}
