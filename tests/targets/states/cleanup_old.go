//go:build !go1.24

package main

// startCleanup does nothing: cleanups came with Go 1.24.
func startCleanup() {}
