package main

import (
	"container/list"
	"sync"
)

// cleanRoute allocates as much as the leaking ones, and drops it.
type cleanRoute struct{}

func (r *cleanRoute) serve() error {
	for i := 0; i < 16; i++ {
		newScratch()[i] = byte(i)
	}
	return nil
}

//go:noinline
func newScratch() []byte {
	return make([]byte, 1792)
}

func (r *cleanRoute) leaked() leak { return leak{} }

// cacheEntries is how many entries the cache keeps.
const cacheEntries = 200

// A cachedPage is an entry of the cache.
type cachedPage struct {
	key  int64
	body []byte
}

// cacheRoute keeps the latest entries: it grows while it warms up, then no more.
type cacheRoute struct {
	lock    sync.Mutex
	next    int64
	entries map[int64]*list.Element
	recent  *list.List
}

func newCacheRoute() *cacheRoute {
	return &cacheRoute{entries: map[int64]*list.Element{}, recent: list.New()}
}

func (r *cacheRoute) serve() error {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.next++
	r.entries[r.next] = r.recent.PushFront(newPage(r.next))
	if r.recent.Len() > cacheEntries {
		oldest := r.recent.Remove(r.recent.Back()).(*cachedPage)
		delete(r.entries, oldest.key)
	}
	return nil
}

//go:noinline
func newPage(key int64) *cachedPage {
	return &cachedPage{key, make([]byte, 2304)}
}

func (r *cacheRoute) leaked() leak { return leak{} }

// poolRoute takes buffers out of a pool and gives them back.
type poolRoute struct {
	pool sync.Pool
}

func (r *poolRoute) serve() error {
	buffer, _ := r.pool.Get().(*[]byte)
	if buffer == nil {
		buffer = newBuffer()
	}
	(*buffer)[0]++
	r.pool.Put(buffer)
	return nil
}

//go:noinline
func newBuffer() *[]byte {
	buffer := make([]byte, 4864)
	return &buffer
}

func (r *poolRoute) leaked() leak { return leak{} }
