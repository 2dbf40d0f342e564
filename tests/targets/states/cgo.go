//go:build cgo && cgo_target

package main

/*
#include <pthread.h>
#include <unistd.h>

void waitInGo(int);

static void pauseForGood(void) {
	for (;;) {
		pause();
	}
}

static void callBack(int value) {
	waitInGo(value);
}

static void *ownThread(void *unused) {
	waitInGo(2);
	return unused;
}

static int startThread(void) {
	pthread_t thread;
	return pthread_create(&thread, 0, ownThread, 0);
}
*/
import "C"

// startCgo leaves goroutines blocked in C, in Go called back from C, and on a thread that C made.
func startCgo() {
	go blockedInC()
	go throughC()
	if C.startThread() != 0 {
		panic("pthread_create failed")
	}
}

func blockedInC() { C.pauseForGood() }

func throughC() { C.callBack(1) }

//export waitInGo
func waitInGo(value C.int) {
	println(<-never + int(value))
}
