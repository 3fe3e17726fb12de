package postgres

import (
	"bytes"
	"context"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"tarn/fault"
	"tarn/kv"
)

// Update implements kv.Space. Callers of this process queue for the keys before they take a connection, so those that
// hold one wait for other processes only, and never for one of their own that has none. On the connection: take the
// advisory locks of the session, read as of after that, let fn decide, apply in a transaction of its own, unlock.
func (s *space) Update(ctx context.Context, lock [][]byte, fn func(tx kv.Locked) (*kv.Batch, error)) error {
	const op = "postgres.Update"
	for _, key := range lock {
		if err := kv.CheckKey(key); err != nil {
			return fault.Wrap(op, err)
		}
	}
	if err := s.enter(ctx, op); err != nil {
		return err
	}
	defer s.engine.writing.Done()
	held, err := s.locks.Take(ctx, lock, s.gone)
	if err != nil {
		return err
	}
	defer held.Release()
	var values [][]byte
	lease, err := fresh(ctx, s.engine.writes, func(conn *pgx.Conn) (err error) {
		if values, err = s.take(ctx, conn, lock); err != nil {
			unlock(conn)
		}
		return err
	})
	if err != nil {
		return translate(op, err)
	}
	defer lease.Release()
	defer unlock(lease.Conn())
	batch, err := s.decide(ctx, lease.Conn(), values, fn)
	if err != nil || batch.IsEmpty() {
		return err
	}
	if seq := batch.Sorted(); seq != nil {
		return s.load(ctx, op, lease.Conn(), seq)
	}
	if err := batch.Check(); err != nil {
		return fault.Wrap(op, err)
	}
	if err := s.check(ctx, op); err != nil {
		return err
	}
	return s.apply(ctx, op, lease.Conn(), batch)
}

// unlock frees the session's locks; a connection on which that fails is closed, which frees them too.
func unlock(conn *pgx.Conn) {
	if conn.IsClosed() {
		return
	}
	ctx := context.Background()
	if conn.PgConn().TxStatus() != 'I' {
		_, _ = conn.Exec(ctx, `ROLLBACK`)
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock_all()`); err != nil {
		_ = conn.Close(ctx)
	}
}

// take takes the locks and begins to read the newest state: the values of the lock keys.
func (s *space) take(ctx context.Context, conn *pgx.Conn, lock [][]byte) (got [][]byte, err error) {
	var there bool
	var b pgx.Batch
	if len(lock) > 0 {
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock(n) FROM unnest($1::bigint[]) AS n`, s.numbers(lock)); err != nil {
			return nil, err
		}
	}
	b.Queue(beginRead)
	sql, args := s.isThere()
	b.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&there) })
	if len(lock) > 0 {
		b.Queue(s.byKeys(), lock).Query(func(rows pgx.Rows) (err error) {
			got, err = values(rows, lock)
			return err
		})
	}
	if err := conn.SendBatch(ctx, &b).Close(); err != nil {
		return nil, err
	}
	if !there {
		s.end()
		return nil, errGone("postgres.Update")
	}
	return got, nil
}

// decide shows fn the state that take began to read: one state for all that it reads.
func (s *space) decide(ctx context.Context, conn *pgx.Conn, values [][]byte, fn func(tx kv.Locked) (*kv.Batch, error)) (*kv.Batch, error) {
	st := &state{space: s, conn: conn}
	batch, err := fn(kv.Locked{Reader: st, Values: values})
	st.mu.Lock()
	st.conn = nil // a reader that outlives fn must not touch the connection
	st.mu.Unlock()
	if err != nil {
		return nil, err
	}
	_, err = conn.Exec(ctx, `COMMIT`)
	return batch, translate("postgres.Update", err)
}

// apply writes a batch in one transaction. Batches that write the same keys without a common lock may meet in a
// deadlock; the server breaks off one of them, which then begins again. It is not broken off when ctx ends: the server would
// go on by itself, and whoever is told that nothing is written would find it applied.
func (s *space) apply(ctx context.Context, op string, conn *pgx.Conn, batch *kv.Batch) error {
	final, whole := settle(batch), context.WithoutCancel(ctx)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		there := false
		var b pgx.Batch
		b.Queue(`BEGIN`)
		b.Queue(`SELECT pg_advisory_xact_lock_shared($1)`, s.engine.spaceLock(s.id)) // a drop waits for us, or we see it
		sql, args := s.isThere()
		b.Queue(sql, args...).QueryRow(func(row pgx.Row) error { return row.Scan(&there) })
		final.queue(&b, s.table)
		b.Queue(`COMMIT`)
		err := conn.SendBatch(whole, &b).Close()
		switch {
		case err == nil && !there:
			s.end()
			return errGone(op) // what was written lies in a table that nobody reads
		case err == nil:
			return nil
		case !isState(err, deadlock, serializationFailure) || conn.IsClosed():
			return translate(op, err)
		}
		if _, err := conn.Exec(whole, `ROLLBACK`); err != nil {
			return translate(op, err)
		}
	}
}

// writes is a batch without its order: what is left of the ranges first, then of single keys, each once.
type writes struct {
	ranges  []kv.Op
	deletes [][]byte
	keys    [][]byte
	values  [][]byte
}

// settle works out what a batch comes to.
func settle(batch *kv.Batch) *writes {
	var w writes
	last := make(map[string]kv.Op, batch.Len())
	for _, o := range batch.Ops() {
		if o.Kind != kv.OpDeleteRange {
			last[string(o.Key)] = o
			continue
		}
		if o.Value != nil && bytes.Compare(o.Key, o.Value) >= 0 {
			continue
		}
		w.ranges = append(w.ranges, o)
		maps.DeleteFunc(last, func(k string, _ kv.Op) bool {
			return k >= string(o.Key) && (o.Value == nil || k < string(o.Value))
		})
	}
	for _, k := range slices.Sorted(maps.Keys(last)) {
		if o := last[k]; o.Kind == kv.OpDelete {
			w.deletes = append(w.deletes, o.Key)
		} else {
			value := o.Value
			if value == nil {
				value = []byte{}
			}
			w.keys, w.values = append(w.keys, o.Key), append(w.values, value)
		}
	}
	return &w
}

func (w *writes) queue(b *pgx.Batch, table string) {
	for _, r := range w.ranges {
		if r.Value == nil {
			b.Queue(`DELETE FROM `+table+` WHERE key >= $1`, r.Key)
		} else {
			b.Queue(`DELETE FROM `+table+` WHERE key >= $1 AND key < $2`, r.Key, r.Value)
		}
	}
	if len(w.deletes) > 0 {
		b.Queue(`DELETE FROM `+table+` WHERE key = ANY($1)`, w.deletes)
	}
	if len(w.keys) > 0 {
		b.Queue(`INSERT INTO `+table+` (key, value) SELECT * FROM unnest($1::bytea[], $2::bytea[]) `+
			`ON CONFLICT (key) DO UPDATE SET value = excluded.value`, w.keys, w.values)
	}
}
