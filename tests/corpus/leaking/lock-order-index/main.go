// Command lock-order-index has documents and a search index, each behind its own mutex. Saving locks
// the documents first, reindexing the index first. Every later save waits behind the two.
package main

import (
	"sync"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type library struct {
	docs struct {
		mu    sync.Mutex
		texts map[int]string
	}
	index struct {
		mu    sync.Mutex
		words map[string][]int
	}
}

func (l *library) save(id int, text string) {
	l.docs.mu.Lock() // want: mutex likely
	defer l.docs.mu.Unlock()
	l.docs.texts[id] = text
	time.Sleep(20 * time.Millisecond)
	l.index.mu.Lock() // want: deadlock-cycle likely pattern=lock-order
	defer l.index.mu.Unlock()
	l.index.words[text] = append(l.index.words[text], id)
}

func (l *library) reindex() {
	l.index.mu.Lock()
	defer l.index.mu.Unlock()
	l.index.words = make(map[string][]int)
	time.Sleep(20 * time.Millisecond)
	l.docs.mu.Lock() // want: deadlock-cycle likely pattern=lock-order
	defer l.docs.mu.Unlock()
	for id, text := range l.docs.texts {
		l.index.words[text] = append(l.index.words[text], id)
	}
}

func main() {
	l := new(library)
	l.docs.texts = make(map[int]string)
	l.index.words = make(map[string][]int)
	go l.reindex()
	alive.Ready()
	for id := 0; ; id++ {
		go l.save(id, "words")
		time.Sleep(200 * time.Millisecond)
	}
}
