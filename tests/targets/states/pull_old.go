//go:build !go1.23

package main

// startPull does nothing: iter.Pull came with Go 1.23.
func startPull() {}
