// Command cgoserver is a service under test with two heaps: Go's, and that of C's malloc.
//
// /order leaks in Go and /lookup in C, both leaks are at lines marked with "leaks: ROUTE"; /both does both, and /clean as
// much without a leak. Profiles are at /debug/pprof.
package main

// #cgo CFLAGS: -O1 -g
// #include "catalog.h"
import "C"

import (
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"
	"time"
)

// An order is a size class of Go's allocator, so that nothing is added to it.
type order struct {
	lines [1536]byte
}

// A shop is what the routes work on.
type shop struct {
	sync.Mutex
	fixed  bool
	orders []*order
	latest *order
}

//go:noinline
func newOrder() *order {
	return &order{} // leaks: order
}

func (s *shop) order(keep bool) {
	order := newOrder()
	s.latest = order
	if keep && !s.fixed {
		s.orders = append(s.orders, order)
	}
}

// lookup asks the catalog, which is C's.
func (s *shop) lookup(keep bool) {
	kept := C.int(0)
	if keep && !s.fixed {
		kept = 1
	}
	C.catalog_lookup(7, kept)
}

// handle serves a route with the shop locked.
func (s *shop) handle(route string, serve func()) {
	http.HandleFunc("/"+route, func(w http.ResponseWriter, _ *http.Request) {
		s.Lock()
		defer s.Unlock()
		serve()
		fmt.Fprintln(w, "ok")
	})
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "`address` to serve on")
	rate := flag.Int("rate", runtime.MemProfileRate, "one heap sample every so many `bytes`; 1 counts all")
	fixed := flag.Bool("fixed", false, "leak nothing")
	lifetime := flag.Duration("lifetime", 10*time.Minute, "end after this time")
	flag.Parse()
	runtime.MemProfileRate = *rate

	shop := &shop{fixed: *fixed}
	shop.handle("order", func() { shop.order(true) })
	shop.handle("lookup", func() { shop.lookup(true) })
	shop.handle("both", func() { shop.order(true); shop.lookup(true) })
	shop.handle("clean", func() { shop.order(false); shop.lookup(false) })
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
