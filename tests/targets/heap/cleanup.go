//go:build go1.24

package main

import (
	"runtime"
	"weak"
)

// handle leads back to the object that it is to clean up after.
type handle struct {
	owner *connection
	load  [50]byte
}

type connection struct {
	handle *handle
	load   [30]byte
}

// upload is so large that its type stands with it.
type upload struct {
	ticket *ticket
	parts  [100]*byte
}

type ticket struct {
	of *upload
}

// lease is held by the function that is to end it.
type lease struct {
	until int
	load  [20]byte
}

// leases leads to it, and is what that function captures.
type leases struct{ first *lease }

// image is what thumbnails are made of.
type image struct {
	name *string
	load [300]byte
}

// thumbnail leads to the image that it was made of.
type thumbnail struct {
	pixels []byte
	of     *image
}

// plain leads to nothing.
type plain struct{ pixels []byte }

// document is in a cache by a weak pointer, and by mistake by another pointer too.
type document struct {
	text []byte
	tags *string
}

type cached struct {
	weak   weak.Pointer[document]
	strong *document
}

// part leads to the whole, which has a weak pointer to it and no other.
type whole struct {
	name  *string
	parts []weak.Pointer[part]
}

type part struct {
	of   *whole
	load [60]byte
}

var (
	thumbnails = map[weak.Pointer[image]]*thumbnail{}
	plains     = map[weak.Pointer[image]]*plain{}
	documents  = map[int]*cached{}
	inUse      = map[weak.Pointer[image]]*thumbnail{}
	images     []*image
	wholes     []*whole
)

// cacheWeakly makes, of each, so many images that the values of a cache lead to, that nothing leads to, and that are in use
// and in a cache whose values lead to them; documents that their entry in a cache holds; and wholes with parts in use.
func cacheWeakly(n int) {
	for i := 0; i < n; i++ {
		name := new(string)
		it := &image{name: name}
		thumbnails[weak.Make(it)] = &thumbnail{pixels: make([]byte, 700), of: it}
		plains[weak.Make(&image{name: name})] = &plain{pixels: make([]byte, 50)}
		used := &image{name: name}
		images = append(images, used)
		inUse[weak.Make(used)] = &thumbnail{of: used}
		text := &document{text: make([]byte, 100), tags: name}
		documents[len(documents)] = &cached{weak: weak.Make(text), strong: text}
		all := &whole{name: name}
		piece := &part{of: all}
		all.parts = append(all.parts, weak.Make(piece))
		wholes = append(wholes, all)
		runtime.KeepAlive(piece)
	}
}

//go:noinline
func newLease() {
	// Go 1.26 and later refuse a function that captures the object itself.
	book := &leases{first: &lease{}}
	runtime.AddCleanup(book.first, func(add int) { book.first.until += add }, 1)
}

func init() {
	weakly = cacheWeakly
	cleanUp = func() {
		newLease()
		large := &upload{ticket: &ticket{}}
		large.ticket.of = large
		runtime.AddCleanup(large, endUpload, large.ticket)
		it := &connection{}
		it.handle = &handle{owner: it}
		runtime.AddCleanup(it, endConnection, it.handle)
	}
}

func endConnection(handle *handle) { handle.owner = nil }

func endUpload(ticket *ticket) { ticket.of = nil }
