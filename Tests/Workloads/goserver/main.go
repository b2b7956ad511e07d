// Command goserver is a service under test: routes that leak, each in its own way and at its own line, beside routes that
// only look as if they did.
//
// The lines that leak are marked with "leaks: ROUTE" in a comment. /stats says what every route has really leaked. Profiles
// are at /debug/pprof.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

// A route serves requests and says what it has leaked so far.
type route interface {
	serve() error
	leaked() leak
}

// A leak is what a route keeps that nobody will use again.
type leak struct {
	// Things leaked: objects, tickers, contexts, connections.
	Count int64 `json:"count"`
	// Bytes that the marked line asked for and that are kept; what libraries add is not in it.
	Bytes int64 `json:"bytes"`
	// Goroutines that will not end.
	Goroutines int64 `json:"goroutines"`
}

// routeStats is one line of /stats.
type routeStats struct {
	Requests int64 `json:"requests"`
	Failed   int64 `json:"failed"`
	leak
}

// counted is a route with its number of requests.
type counted struct {
	route
	requests, failed atomic.Int64
}

func (c *counted) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	c.requests.Add(1)
	if err := c.serve(); err != nil {
		c.failed.Add(1)
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	fmt.Fprintln(w, "ok")
}

func (c *counted) stats() routeStats {
	return routeStats{c.requests.Load(), c.failed.Load(), c.leaked()}
}

// newMux wires the routes, /stats and the profiles of net/http/pprof.
func newMux(routes map[string]*counted) *http.ServeMux {
	mux := http.NewServeMux()
	for name, route := range routes {
		mux.Handle("/"+name, route)
	}
	mux.HandleFunc("/stats", func(w http.ResponseWriter, _ *http.Request) {
		all := map[string]routeStats{}
		for name, route := range routes {
			all[name] = route.stats()
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(all)
	})
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	return mux
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "`address` to serve on")
	socket := flag.String("unix", "", "also serve on a Unix socket at this `path`")
	redis := flag.String("redis", "", "`address` of a Redis server for /redis")
	rate := flag.Int("rate", runtime.MemProfileRate, "one heap sample every so many `bytes`; 1 counts all")
	fixed := flag.Bool("fixed", false, "leak nothing")
	lifetime := flag.Duration("lifetime", 10*time.Minute, "end after this time")
	flag.Parse()
	runtime.MemProfileRate = *rate

	backend, err := startBackend()
	if err != nil {
		log.Fatal(err)
	}
	mux := newMux(map[string]*counted{
		"slice":   {route: &sliceRoute{fixed: *fixed}},
		"ticker":  {route: &tickerRoute{fixed: *fixed}},
		"context": {route: newContextRoute(*fixed)},
		"conn":    {route: &connRoute{fixed: *fixed, backend: backend}},
		"rows":    {route: newRowsRoute(*fixed)},
		"redis":   {route: &redisRoute{fixed: *fixed, address: *redis}},
		"clean":   {route: &cleanRoute{}},
		"cache":   {route: newCacheRoute()},
		"pool":    {route: &poolRoute{}},
	})
	time.AfterFunc(*lifetime, func() { os.Exit(0) })
	if *socket != "" {
		go serve("unix", *socket, mux)
	}
	serve("tcp", *address, mux)
}

// serve listens, says where, and serves until the program ends.
func serve(network, address string, handler http.Handler) {
	listener, err := net.Listen(network, address)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on %s\n", listener.Addr())
	if err := http.Serve(listener, handler); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}
