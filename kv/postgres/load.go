package postgres

import (
	"context"
	"iter"

	"github.com/jackc/pgx/v5"

	"tarn/kv"
)

// loadAsBatch is the size up to which a load is one batch.
const loadAsBatch = 2 << 20

// Load implements kv.Space. A small load is a batch; a bigger one is copied into a table of the session and merged from
// there, in one transaction.
func (s *space) Load(ctx context.Context, seq iter.Seq2[kv.Entry, error]) error {
	const op = "postgres.Load"
	if err := s.enter(ctx, op); err != nil {
		return err
	}
	defer s.engine.writing.Done()
	return s.load(ctx, op, nil, seq)
}

// load does a load on a connection; nil takes one when the source has been read or is large.
func (s *space) load(ctx context.Context, op string, conn *pgx.Conn, seq iter.Seq2[kv.Entry, error]) error {
	src := &source{space: s, ctx: ctx}
	var stop func()
	src.next, stop = iter.Pull2(kv.CheckEntries(seq))
	defer stop()

	first := &kv.Batch{}
	for first.Size() <= loadAsBatch {
		if !src.Next() {
			if src.err != nil {
				return src.err
			}
			return s.loadBatch(ctx, op, conn, first)
		}
		first.Set(append([]byte(nil), src.entry.Key...), append([]byte{}, src.entry.Value...))
	}
	src.first = first.Ops()
	if conn == nil {
		lease, err := fresh(ctx, s.engine.writes, ping(ctx))
		if err != nil {
			return translate(op, err)
		}
		defer lease.Release()
		conn = lease.Conn()
	}
	err := s.copyAndMerge(ctx, conn, src)
	if src.err != nil {
		return src.err
	}
	return translate(op, err)
}

func (s *space) loadBatch(ctx context.Context, op string, conn *pgx.Conn, b *kv.Batch) error {
	if b.Len() == 0 {
		return nil
	}
	if conn != nil {
		return s.apply(ctx, op, conn, b)
	}
	lease, err := fresh(ctx, s.engine.writes, ping(ctx))
	if err != nil {
		return translate(op, err)
	}
	defer lease.Release()
	return s.apply(ctx, op, lease.Conn(), b)
}

// copyAndMerge is broken off when ctx ends, until it commits.
func (s *space) copyAndMerge(ctx context.Context, conn *pgx.Conn, src *source) error {
	whole := context.WithoutCancel(ctx)
	tx, err := conn.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(whole) }() // after the commit it does nothing
	if _, err := tx.Exec(ctx, `CREATE TEMPORARY TABLE tarn_load (key bytea NOT NULL, value bytea NOT NULL) ON COMMIT DROP`); err != nil {
		return err
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"tarn_load"}, []string{"key", "value"}, src); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock_shared($1)`, s.engine.spaceLock(s.id)); err != nil {
		return err
	}
	var there bool
	sql, args := s.isThere()
	if err := tx.QueryRow(ctx, sql, args...).Scan(&there); err != nil {
		return err
	}
	if !there {
		s.end()
		return errGone("postgres.Load")
	}
	if _, err = tx.Exec(ctx, `INSERT INTO `+s.table+` SELECT key, value FROM tarn_load `+
		`ON CONFLICT (key) DO UPDATE SET value = excluded.value`); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return tx.Commit(whole)
}

// source feeds a load to COPY: first what was read ahead, then the rest.
type source struct {
	space *space
	ctx   context.Context
	first []kv.Op
	next  func() (kv.Entry, error, bool)
	entry kv.Entry
	err   error
}

// Next implements pgx.CopyFromSource.
func (s *source) Next() bool {
	if len(s.first) > 0 {
		s.entry = kv.Entry{Key: s.first[0].Key, Value: s.first[0].Value}
		s.first = s.first[1:]
		return true
	}
	if s.err == nil {
		s.err = s.space.check(s.ctx, "postgres.Load")
	}
	if s.err != nil {
		return false
	}
	e, err, more := s.next()
	if err != nil {
		s.err = err
	}
	if e.Value == nil {
		e.Value = []byte{} // nil would be NULL
	}
	s.entry = e
	return more && err == nil
}

// Values implements pgx.CopyFromSource.
func (s *source) Values() ([]any, error) { return []any{s.entry.Key, s.entry.Value}, nil }

// Err implements pgx.CopyFromSource.
func (s *source) Err() error { return s.err }
