package main

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// An order is what /slice keeps: a size class of Go's allocator, so that nothing is added to it.
type order struct {
	lines [1536]byte
}

// orders is the classic: a global that things are put into and never taken out of.
var (
	ordersLock sync.Mutex
	orders     []*order
)

// sliceRoute keeps an order per request; repaired, the latest hundred.
type sliceRoute struct {
	fixed bool
	kept  atomic.Int64
}

func (r *sliceRoute) serve() error {
	ordersLock.Lock()
	defer ordersLock.Unlock()
	orders = append(orders, newOrder())
	if r.fixed && len(orders) > 100 {
		orders = append([]*order(nil), orders[1:]...)
	}
	r.kept.Store(int64(len(orders)))
	return nil
}

//go:noinline
func newOrder() *order {
	return &order{} // leaks: slice
}

func (r *sliceRoute) leaked() leak {
	if r.fixed {
		return leak{}
	}
	return leak{Count: r.kept.Load(), Bytes: r.kept.Load() * 1536}
}

// pollerBytes is what a poller of /ticker holds.
const pollerBytes = 640

// tickerRoute starts a poller per request that nobody stops; repaired, it is told to stop.
//
// The goroutine keeps the ticker alive, also where unreachable tickers are collected (Go 1.23).
type tickerRoute struct {
	fixed   bool
	started atomic.Int64
}

func (r *tickerRoute) serve() error {
	stop := make(chan struct{})
	startPoller(stop)
	if r.fixed {
		close(stop)
	}
	r.started.Add(1)
	return nil
}

//go:noinline
func startPoller(stop <-chan struct{}) {
	prices := make([]byte, pollerBytes) // leaks: ticker
	ticker := time.NewTicker(time.Hour)
	go pollPrices(ticker, prices, stop)
}

func pollPrices(ticker *time.Ticker, prices []byte, stop <-chan struct{}) {
	defer ticker.Stop()
	for {
		select {
		case at := <-ticker.C:
			prices[0] = byte(at.Second())
		case <-stop:
			return
		}
	}
}

func (r *tickerRoute) leaked() leak {
	if r.fixed {
		return leak{}
	}
	n := r.started.Load()
	return leak{Count: n, Bytes: n * pollerBytes, Goroutines: n}
}

// A session hangs on the contexts of /context.
type session struct {
	user [896]byte
}

type sessionKey struct{}

// contextRoute derives contexts from one that lives as long as the service; a parent knows its children until they are
// canceled, and with them all that hangs on them.
type contextRoute struct {
	fixed  bool
	parent context.Context
	made   atomic.Int64
}

func newContextRoute(fixed bool) *contextRoute {
	parent, cancel := context.WithCancel(context.Background())
	_ = cancel // canceled when the program ends
	return &contextRoute{fixed: fixed, parent: parent}
}

func (r *contextRoute) serve() error {
	cancel := beginWork(r.parent)
	if r.fixed {
		cancel()
	}
	r.made.Add(1)
	return nil
}

//go:noinline
func beginWork(parent context.Context) context.CancelFunc {
	current := &session{} // leaks: context
	_, cancel := context.WithCancel(context.WithValue(parent, sessionKey{}, current))
	return cancel
}

func (r *contextRoute) leaked() leak {
	if r.fixed {
		return leak{}
	}
	return leak{Count: r.made.Load(), Bytes: r.made.Load() * 896}
}
