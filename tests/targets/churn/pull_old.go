//go:build !go1.23

package main

func pull([]string) string { return "OK 0" }

func unpull([]string) string { return "OK" }
