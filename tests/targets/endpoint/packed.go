package main

import (
	"compress/gzip"
	"net/http"
)

// serveFrom has a handler answer packed.
func serveFrom(handler http.Handler, w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	packer := gzip.NewWriter(w)
	defer packer.Close()
	handler.ServeHTTP(packing{w, packer}, r)
}

type packing struct {
	http.ResponseWriter
	packer *gzip.Writer
}

func (p packing) Write(bytes []byte) (int, error) { return p.packer.Write(bytes) }
