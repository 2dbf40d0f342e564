package main

import (
	"hash/crc32"
	"sync"
	"sync/atomic"
)

type message struct {
	number uint64
	body   []byte
	sum    uint32
}

func startMessages() {
	unbuffered, buffered := part("unbuffered"), part("buffered")
	go pipeline(make(chan message), make(chan message), unbuffered)
	go pipeline(make(chan message, 8), make(chan message, 1), buffered)
	go ledger(part("ledger"))
}

// pipeline sends numbered messages through a goroutine in between, and misses none.
func pipeline(in, out chan message, passed *atomic.Int64) {
	go func() {
		for number := uint64(1); ; number++ {
			body := make([]byte, 16+number%512)
			for i := range body {
				body[i] = byte(number + uint64(i)*7)
			}
			in <- message{number, body, crc32.ChecksumIEEE(body)}
		}
	}()
	go func() {
		never := make(chan message)
		for {
			select {
			case m := <-in:
				out <- m
			case <-never:
				wrong("a message from nowhere")
			}
		}
	}()
	for last := uint64(0); ; last++ {
		m := <-out
		if m.number != last+1 {
			wrong("message %d came after %d", m.number, last)
			return
		}
		if crc32.ChecksumIEEE(m.body) != m.sum {
			wrong("message %d has a wrong checksum", m.number)
			return
		}
		passed.Add(1)
	}
}

// ledger moves money between accounts under their locks; the sum must stay what it was.
func ledger(rounds *atomic.Int64) {
	const accounts, each = 8, 1000
	var book [accounts]struct {
		sync.Mutex
		money int
	}
	for i := range book {
		book[i].money = each
	}
	for {
		var clerks sync.WaitGroup
		for clerk := 1; clerk < 5; clerk++ {
			clerks.Add(1)
			go func(step int) {
				defer clerks.Done()
				for i := 0; i < 200; i++ {
					from, to := i%accounts, (i+step)%accounts
					low, high := &book[min(from, to)], &book[max(from, to)]
					low.Lock()
					high.Lock()
					book[from].money -= step
					book[to].money += step
					high.Unlock()
					low.Unlock()
				}
			}(clerk)
		}
		clerks.Wait()
		total := 0
		for i := range book {
			total += book[i].money
		}
		if total != accounts*each {
			wrong("the accounts hold %d in place of %d", total, accounts*each)
			return
		}
		rounds.Add(1)
	}
}
