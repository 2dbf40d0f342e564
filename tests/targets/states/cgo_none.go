//go:build !cgo || !cgo_target

package main

// startCgo does nothing: this build has no C.
func startCgo() {}
