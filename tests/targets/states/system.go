package main

import (
	"bufio"
	"os"
	"runtime"
	"syscall"
	"time"
)

func startSystem() {
	go sleep()
	go tick()

	polled, polledEnd, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	keep = append(keep, polledEnd)
	go readFile(polled)
	buffered, bufferedEnd, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	keep = append(keep, bufferedEnd)
	go readLine(buffered)

	var raw [2]int
	if err := syscall.Pipe(raw[:]); err != nil {
		panic(err)
	}
	go readRaw(raw[0])
	go readRawLocked(raw[0])

	go waitLocked()
	go sleepLocked()
}

// keep holds the pipes' other ends, lest a finalizer closes them.
var keep []*os.File

func sleep() { time.Sleep(1000 * time.Hour) }

func tick() {
	for range time.NewTicker(1000 * time.Hour).C {
		println("tick")
	}
}

func readFile(file *os.File) {
	var buf [16]byte
	file.Read(buf[:])
}

func readLine(file *os.File) {
	bufio.NewReader(file).ReadString('\n')
}

func readRaw(fd int) {
	var buf [16]byte
	syscall.Read(fd, buf[:])
}

func readRawLocked(fd int) {
	runtime.LockOSThread()
	readRaw(fd)
}

func waitLocked() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	<-never
}

func sleepLocked() {
	runtime.LockOSThread()
	time.Sleep(1000 * time.Hour)
}
