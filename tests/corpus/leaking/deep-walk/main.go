// Command deep-walk lists a folder tree by recursion and sends every file it meets. The one who reads
// stops at the first match, and the walk stays where it is, 40 calls deep.
package main

import (
	"strconv"
	"time"

	"example.org/leak-agent/corpus/internal/alive"
)

type folder struct {
	name  string
	inner *folder
}

func tree(depth int) *folder {
	f := &folder{name: "leaf"}
	for i := depth; i > 0; i-- {
		f = &folder{name: "level-" + strconv.Itoa(i), inner: f}
	}
	return f
}

//go:noinline
func (f *folder) walk(path string, found chan<- string) int {
	if f.inner == nil {
		for _, file := range []string{"a.txt", "b.txt", "c.txt"} {
			found <- path + "/" + file // want: channel-send likely pattern=premature-return
		}
		return 1
	}
	return f.inner.walk(path+"/"+f.name, found) + 1
}

func first(root *folder) string {
	found := make(chan string)
	go func() {
		defer close(found)
		root.walk("", found)
	}()
	for path := range found {
		return path
	}
	return ""
}

func main() {
	root := tree(40)
	alive.Ready()
	for range time.Tick(200 * time.Millisecond) {
		first(root)
	}
}
