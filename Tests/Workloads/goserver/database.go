package main

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"sync/atomic"
)

// connectionBytes is the buffer of one connection of the driver below.
const connectionBytes = 3072

func init() { sql.Register("tiny", tinyDriver{}) }

// tinyDriver is a database in memory whose every query has one row.
type tinyDriver struct{}

type tinyConn struct {
	buffer []byte
}

//go:noinline
func (tinyDriver) Open(string) (driver.Conn, error) {
	buffer := make([]byte, connectionBytes) // leaks: rows
	return &tinyConn{buffer}, nil
}

func (c *tinyConn) Prepare(string) (driver.Stmt, error) { return tinyStmt{}, nil }
func (c *tinyConn) Close() error                        { return nil }
func (c *tinyConn) Begin() (driver.Tx, error)           { return nil, errors.New("no transactions") }

type tinyStmt struct{}

func (tinyStmt) Close() error                               { return nil }
func (tinyStmt) NumInput() int                              { return 0 }
func (tinyStmt) Exec([]driver.Value) (driver.Result, error) { return driver.RowsAffected(0), nil }
func (tinyStmt) Query([]driver.Value) (driver.Rows, error)  { return &tinyRows{}, nil }

type tinyRows struct {
	done bool
}

func (r *tinyRows) Columns() []string { return []string{"id"} }
func (r *tinyRows) Close() error      { return nil }

func (r *tinyRows) Next(row []driver.Value) error {
	if r.done {
		return io.EOF
	}
	r.done = true
	row[0] = int64(1)
	return nil
}

// rowsRoute asks for rows and stops before their end without closing them: the connection never goes back to the pool,
// which remembers it, and the next request opens another one.
type rowsRoute struct {
	fixed   bool
	db      *sql.DB
	queried atomic.Int64
}

func newRowsRoute(fixed bool) *rowsRoute {
	db, err := sql.Open("tiny", "")
	if err != nil {
		panic(err)
	}
	return &rowsRoute{fixed: fixed, db: db}
}

func (r *rowsRoute) serve() error {
	rows, err := r.db.Query("SELECT id FROM orders")
	if err != nil {
		return err
	}
	rows.Next()
	if r.fixed {
		rows.Close()
	}
	r.queried.Add(1)
	return nil
}

func (r *rowsRoute) leaked() leak {
	if r.fixed {
		return leak{}
	}
	return leak{Count: r.queried.Load(), Bytes: r.queried.Load() * connectionBytes}
}
