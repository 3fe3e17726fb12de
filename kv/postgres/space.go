package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/jackc/pgx/v5"

	"tarn/kv"
)

// space is one table.
type space struct {
	engine *Engine
	name   string
	id     int64
	table  string // quoted
	locks  kv.Locks

	once   sync.Once
	isGone atomic.Bool
	gone   chan struct{}
}

var _ kv.Space = (*space)(nil)

func newSpace(e *Engine, name string, id int64) *space {
	return &space{engine: e, name: name, id: id, table: e.table(id), gone: make(chan struct{})}
}

// end lets everybody who works in the space fail with fault.Gone.
func (s *space) end() {
	s.once.Do(func() {
		s.isGone.Store(true)
		close(s.gone)
	})
}

// check reports whether the caller may go on.
func (s *space) check(ctx context.Context, op string) error {
	if s.isGone.Load() {
		return errGone(op)
	}
	return ctx.Err()
}

// enter counts a writer in; the caller leaves by s.engine.writing.Done.
func (s *space) enter(ctx context.Context, op string) error {
	if err := s.check(ctx, op); err != nil {
		return err
	}
	return s.engine.enter(op)
}

// isThere is a query that answers whether the space is still the one of that name.
func (s *space) isThere() (sql string, args []any) {
	return `SELECT EXISTS (SELECT FROM ` + s.engine.schema + `.spaces WHERE name = $1 AND id = $2)`, []any{s.name, s.id}
}

// Size implements kv.Space: the table with its index and long values.
func (s *space) Size(ctx context.Context) (size int64, err error) {
	const op = "postgres.Size"
	if err := s.enter(ctx, op); err != nil {
		return 0, err
	}
	defer s.engine.writing.Done()
	err = s.engine.writes.QueryRow(ctx, `SELECT pg_total_relation_size($1::text::regclass)`, s.table).Scan(&size)
	return size, translate(op, err)
}

// Compact implements kv.Space: what was deleted is marked as free, to be written over by the next rows. The server keeps it
// in its files until then, and in its log until that is recycled. One space of the engine is done at a time, since each takes a
// connection of the writers for as long as it lasts; whoever waits for his turn holds none.
func (s *space) Compact(ctx context.Context, ranges ...kv.Range) error {
	const op = "postgres.Compact"
	if err := s.check(ctx, op); err != nil || len(ranges) == 0 {
		return err
	}
	select {
	case s.engine.vacuum <- struct{}{}:
		defer func() { <-s.engine.vacuum }()
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gone:
		return errGone(op)
	}
	if err := s.enter(ctx, op); err != nil {
		return err
	}
	defer s.engine.writing.Done()
	_, err := s.engine.writes.Exec(ctx, `VACUUM `+s.table)
	return translate(op, err)
}

// numbers are the advisory locks of keys, ascending: the order in which everybody takes them.
func (s *space) numbers(keys [][]byte) []int64 {
	out := make([]int64, len(keys))
	for i, k := range keys {
		out[i] = s.engine.lockOf("key", s.table, string(k))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func hash(s string) int64 {
	sum := sha256.Sum256([]byte(s))
	return int64(binary.BigEndian.Uint64(sum[:]))
}

// values puts the rows (key, value) of a query into the order of keys: nil where a key is absent.
func values(rows pgx.Rows, keys [][]byte) ([][]byte, error) {
	defer rows.Close()
	type place struct {
		value []byte
		taken bool
	}
	found := make(map[string]*place, len(keys))
	for rows.Next() {
		raw := rows.RawValues()
		found[string(raw[0])] = &place{value: append([]byte{}, raw[1]...)}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	out := make([][]byte, len(keys))
	for i, k := range keys {
		p := found[string(k)]
		switch {
		case p == nil:
		case p.taken: // the key repeats, and each value belongs to the caller
			out[i] = append([]byte{}, p.value...)
		default:
			out[i], p.taken = p.value, true
		}
	}
	return out, nil
}
