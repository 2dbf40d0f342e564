//go:build !go1.25

package main

// startBubble does nothing: testing/synctest came with Go 1.25.
func startBubble() {}
