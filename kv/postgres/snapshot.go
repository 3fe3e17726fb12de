package postgres

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tarn/fault"
	"tarn/kv"
)

// state reads within one repeatable-read transaction. Its queries take turns on the connection. They are short and run
// to their end whatever becomes of the caller's context, since breaking off would break the connection, and so the
// state, for all others.
type state struct {
	space *space
	mu    sync.Mutex
	conn  *pgx.Conn // nil once the state is closed
}

const beginRead = `BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`

// query runs one query whose rows are read by use.
func (s *state) query(ctx context.Context, op, sql string, args []any, use func(rows pgx.Rows) error) error {
	if err := s.space.check(ctx, op); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return fault.Errorf(fault.Internal, op, "the snapshot is closed")
	}
	rows, err := s.conn.Query(context.WithoutCancel(ctx), sql, args...)
	if err != nil {
		return translate(op, err)
	}
	return translate(op, use(rows))
}

// byKeys is the query of a Get.
func (s *space) byKeys() string { return `SELECT key, value FROM ` + s.table + ` WHERE key = ANY($1)` }

// Get implements kv.Reader.
func (s *state) Get(ctx context.Context, keys ...[]byte) (out [][]byte, err error) {
	err = s.query(ctx, "postgres.Get", s.space.byKeys(), []any{keys}, func(rows pgx.Rows) (err error) {
		out, err = values(rows, keys)
		return err
	})
	return out, err
}

// snapshot is a state on a connection of its own.
type snapshot struct {
	state
	lease *pgxpool.Conn
}

var _ kv.Snapshot = (*snapshot)(nil)

// Snapshot implements kv.Space. It waits while all connections for snapshots are in use.
func (s *space) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	const op = "postgres.Snapshot"
	if err := s.enter(ctx, op); err != nil {
		return nil, err
	}
	defer s.engine.writing.Done()
	var there bool
	lease, err := fresh(ctx, s.engine.reads, func(conn *pgx.Conn) error {
		sql, args := s.isThere()
		var b pgx.Batch
		b.Queue(beginRead)
		b.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&there) })
		return conn.SendBatch(ctx, &b).Close()
	})
	if err != nil {
		return nil, translate(op, err)
	}
	n := &snapshot{state: state{space: s, conn: lease.Conn()}, lease: lease}
	s.engine.count(1)
	if !there {
		s.end()
		_ = n.Close()
		return nil, errGone(op)
	}
	return n, nil
}

// Close implements kv.Snapshot.
func (n *snapshot) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.conn == nil {
		return nil
	}
	// Nothing depends on the answer: a connection that fails here is thrown away when it is released.
	_, _ = n.conn.Exec(context.Background(), `COMMIT`)
	n.conn = nil
	n.lease.Release()
	n.space.engine.count(-1)
	return nil
}

// count keeps the number of open snapshots.
func (e *Engine) count(by int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open += by
}
