package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// fresh takes a connection out of a pool and begins to work on it. One that the server has ended while it lay idle, by a
// restart say, tells so only then: it is thrown away and the next one taken, a new one at last. So begin does nothing that
// must not be done twice.
func fresh(ctx context.Context, pool *pgxpool.Pool, begin func(conn *pgx.Conn) error) (*pgxpool.Conn, error) {
	for more := pool.Stat().MaxConns(); ; more-- {
		lease, err := pool.Acquire(ctx)
		if err != nil {
			return nil, err
		}
		if err = begin(lease.Conn()); err == nil {
			return lease, nil
		}
		ended := lease.Conn().IsClosed()
		lease.Release()
		if !ended || more == 0 || ctx.Err() != nil {
			return nil, err
		}
	}
}

// ping begins nothing.
func ping(ctx context.Context) func(conn *pgx.Conn) error {
	return func(conn *pgx.Conn) error { return conn.Ping(ctx) }
}
