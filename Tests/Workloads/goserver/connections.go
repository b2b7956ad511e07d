package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
)

// startBackend serves a page for /conn to fetch, in this process; it returns the address.
func startBackend() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	page := make([]byte, 64*1024) // more than a connection reads ahead
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(page) })
	go func() { _ = http.Serve(listener, handler) }()
	return "http://" + listener.Addr().String(), nil
}

// connRoute fetches from the backend and forgets to close the answer's body: the connection and its goroutines stay.
type connRoute struct {
	fixed   bool
	backend string
	fetched atomic.Int64
}

func (r *connRoute) serve() error {
	answer, err := fetchPage(r.backend)
	if err != nil {
		return err
	}
	if r.fixed {
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
	r.fetched.Add(1)
	return nil
}

//go:noinline
func fetchPage(backend string) (*http.Response, error) {
	return http.Get(backend) // leaks: conn
}

// leaked counts the client's two goroutines for a connection; the backend, in the same process, has one more of its own.
func (r *connRoute) leaked() leak {
	if r.fixed {
		return leak{}
	}
	return leak{Count: r.fetched.Load(), Goroutines: 2 * r.fetched.Load()}
}

// redisReplyBytes is the read buffer of one Redis client.
const redisReplyBytes = 2048

// A redisClient is one connection and the goroutine that reads its replies.
type redisClient struct {
	connection net.Conn
	replies    chan string
}

// redisRoute opens a client per request, asks one thing, and forgets to close it.
type redisRoute struct {
	fixed   bool
	address string
	opened  atomic.Int64
}

func (r *redisRoute) serve() error {
	if r.address == "" {
		return errors.New("start me with -redis")
	}
	client, err := dialRedis(r.address)
	if err != nil {
		return err
	}
	r.opened.Add(1)
	reply, err := client.ask("PING")
	if r.fixed {
		client.connection.Close()
	}
	if err == nil && reply != "+PONG" {
		err = fmt.Errorf("redis says %q", reply)
	}
	return err
}

//go:noinline
func dialRedis(address string) (*redisClient, error) {
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	client := &redisClient{connection, make(chan string)}
	buffer := make([]byte, 0, redisReplyBytes) // leaks: redis
	go client.readReplies(buffer)
	return client, nil
}

// readReplies hands on line after line until the connection is closed.
func (c *redisClient) readReplies(buffer []byte) {
	defer close(c.replies)
	scanner := bufio.NewScanner(c.connection)
	scanner.Buffer(buffer, redisReplyBytes)
	for scanner.Scan() {
		c.replies <- scanner.Text()
	}
}

func (c *redisClient) ask(command string) (string, error) {
	if _, err := fmt.Fprintf(c.connection, "%s\r\n", command); err != nil {
		return "", err
	}
	reply, open := <-c.replies
	if !open {
		return "", errors.New("redis closed the connection")
	}
	return reply, nil
}

func (r *redisRoute) leaked() leak {
	if r.fixed {
		return leak{}
	}
	n := r.opened.Load()
	return leak{Count: n, Bytes: n * redisReplyBytes, Goroutines: n}
}
