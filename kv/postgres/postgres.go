// Package postgres is the engine over PostgreSQL, and what speaks its wire: a table for each space, any number of
// processes. Locks are advisory locks of the server, reads are short pages of a repeatable-read transaction. It needs
// sessions of its own, so not a proxy that pools transactions.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"tarn/fault"
	"tarn/kv"
)

// Options set an engine up. The zero value is what a server wants.
type Options struct {
	// Conns bounds the connections to the server, at least 2; 0 is 32. A quarter of them writes (updates, loads, spaces
	// made and dropped), the rest serves snapshots, one each, so that neither side can starve the other into a
	// deadlock.
	Conns int
	// Schema holds all tables; "" is "tarn".
	Schema string
}

// Engine is a kv.Engine over a PostgreSQL server. It is safe for concurrent use, as are several upon one schema.
type Engine struct {
	reads  *pgxpool.Pool
	writes *pgxpool.Pool
	schema string        // quoted
	vacuum chan struct{} // one place: who takes out what was deleted holds it, so that the other connections are left to writers

	mu      sync.Mutex
	spaces  map[string]*space
	closed  bool
	writing sync.WaitGroup // updates, loads, opens and drops under way
	open    int            // snapshots
}

var _ kv.Engine = (*Engine)(nil)

// settings of every session. All our queries go by key: a planner that has no statistics yet must not choose to read
// whole tables. Limits of time that role or database have are for others: a large load, the wait for a lock behind it, and the
// reading of a snapshot take as long as they take, and would fail each time.
var settings = map[string]string{
	"application_name":                    "tarn",
	"synchronous_commit":                  "on",
	"enable_seqscan":                      "off",
	"enable_bitmapscan":                   "off",
	"jit":                                 "off",
	"idle_in_transaction_session_timeout": "0",
	"statement_timeout":                   "0",
	"lock_timeout":                        "0",
}

// settingsThere are further ones that not every release of the server knows, which refuses a session that names them.
const settingsThere = `SELECT set_config(name, '0', false) FROM pg_settings WHERE name IN ('transaction_timeout', 'idle_session_timeout')`

// Open connects to the server at url and makes the schema where it is missing.
func Open(ctx context.Context, url string, opts Options) (*Engine, error) {
	const op = "postgres.Open"
	if opts.Conns == 0 {
		opts.Conns = 32
	}
	if opts.Schema == "" {
		opts.Schema = "tarn"
	}
	cfg, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The error would repeat the address, and with it the password.
		return nil, fault.Errorf(fault.Invalid, op, "the database URL cannot be understood; it looks like postgres://user@host:5432/name")
	}
	for name, value := range settings {
		cfg.ConnConfig.RuntimeParams[name] = value
	}
	e := &Engine{schema: pgx.Identifier{opts.Schema}.Sanitize(), vacuum: make(chan struct{}, 1), spaces: map[string]*space{}}
	writers := max(1, opts.Conns/4)
	if e.writes, err = pool(ctx, cfg, writers); err != nil {
		return nil, translate(op, err)
	}
	if e.reads, err = pool(ctx, cfg, max(1, opts.Conns-writers)); err != nil {
		e.writes.Close()
		return nil, translate(op, err)
	}
	if err := e.prepare(ctx); err != nil {
		e.writes.Close()
		e.reads.Close()
		return nil, translate(op, err)
	}
	return e, nil
}

func pool(ctx context.Context, cfg *pgxpool.Config, conns int) (*pgxpool.Pool, error) {
	cfg = cfg.Copy()
	cfg.MaxConns = int32(conns)
	cfg.MinConns = 0
	cfg.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, settingsThere)
		return err
	}
	return pgxpool.NewWithConfig(ctx, cfg)
}

// prepare makes the schema's own tables and removes the tables of dropped spaces.
func (e *Engine) prepare(ctx context.Context) error {
	err := pgx.BeginFunc(ctx, e.writes, func(tx pgx.Tx) error {
		for _, sql := range []string{
			fmt.Sprintf(`SELECT pg_advisory_xact_lock(%d)`, e.lockOf("schema")),
			`CREATE SCHEMA IF NOT EXISTS ` + e.schema,
			`CREATE TABLE IF NOT EXISTS ` + e.schema + `.spaces (name text PRIMARY KEY, id bigint GENERATED ALWAYS AS IDENTITY UNIQUE)`,
			`CREATE TABLE IF NOT EXISTS ` + e.schema + `.dropped (id bigint PRIMARY KEY)`,
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return e.sweep(ctx)
}

// enter counts a writer in; the caller leaves by e.writing.Done.
func (e *Engine) enter(op string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return fault.Errorf(fault.Gone, op, "the engine is closed")
	}
	e.writing.Add(1)
	return nil
}

// Open implements kv.Engine.
func (e *Engine) Open(ctx context.Context, name string) (kv.Space, error) {
	const op = "postgres.Open"
	if err := kv.CheckSpace(name); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if err := e.enter(op); err != nil {
		return nil, err
	}
	defer e.writing.Done()
	id, err := e.find(ctx, name)
	if errors.Is(err, pgx.ErrNoRows) {
		id, err = e.make(ctx, name)
	}
	if err != nil {
		return nil, translate(op, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.spaces[name]
	switch {
	case s == nil || s.id < id:
		if s != nil {
			s.end() // another process has dropped it and made it again
		}
		s = newSpace(e, name, id)
		e.spaces[name] = s
	case s.id > id:
		return nil, errGone(op) // it has been dropped and made again meanwhile
	}
	return s, nil
}

func (e *Engine) find(ctx context.Context, name string) (id int64, err error) {
	err = e.writes.QueryRow(ctx, `SELECT id FROM `+e.schema+`.spaces WHERE name = $1`, name).Scan(&id)
	return id, err
}

func (e *Engine) make(ctx context.Context, name string) (id int64, err error) {
	err = pgx.BeginFunc(ctx, e.writes, func(tx pgx.Tx) error {
		// A rival that makes the same space waits here and then finds it.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, e.lockOf("name", name)); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `INSERT INTO `+e.schema+`.spaces (name) VALUES ($1) ON CONFLICT DO NOTHING RETURNING id`, name).Scan(&id)
		if errors.Is(err, pgx.ErrNoRows) {
			return tx.QueryRow(ctx, `SELECT id FROM `+e.schema+`.spaces WHERE name = $1`, name).Scan(&id)
		}
		if err != nil {
			return err
		}
		table := e.table(id)
		for _, sql := range []string{
			`CREATE TABLE ` + table + ` (key bytea PRIMARY KEY, value bytea NOT NULL)`,
			`COMMENT ON TABLE ` + table + ` IS 'space ` + name + `'`, // of a checked alphabet
		} {
			if _, err := tx.Exec(ctx, sql); err != nil {
				return err
			}
		}
		return nil
	})
	return id, err
}

// table is the quoted name of a space's table. It goes by number, so that a name is free at once when its space is
// dropped, though readers still hold the table.
func (e *Engine) table(id int64) string { return fmt.Sprintf("%s.s%d", e.schema, id) }

// Drop implements kv.Engine. The space is gone at once for this process and for new work of others; its table is
// removed when nobody reads it any more.
func (e *Engine) Drop(ctx context.Context, name string) error {
	const op = "postgres.Drop"
	if err := kv.CheckSpace(name); err != nil {
		return fault.Wrap(op, err)
	}
	if err := e.enter(op); err != nil {
		return err
	}
	defer e.writing.Done()
	err := pgx.BeginFunc(ctx, e.writes, func(tx pgx.Tx) error {
		var id int64
		err := tx.QueryRow(ctx, `DELETE FROM `+e.schema+`.spaces WHERE name = $1 RETURNING id`, name).Scan(&id)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO `+e.schema+`.dropped (id) VALUES ($1)`, id); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, e.spaceLock(id)) // commits under way end before
		return err
	})
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return translate(op, err)
	}
	e.mu.Lock()
	if s := e.spaces[name]; s != nil {
		s.end()
		delete(e.spaces, name)
	}
	e.mu.Unlock()
	return translate(op, e.sweep(ctx))
}

// sweep removes the tables of dropped spaces, except those that somebody still reads.
func (e *Engine) sweep(ctx context.Context) error {
	rows, err := e.writes.Query(ctx, `SELECT id FROM `+e.schema+`.dropped`)
	if err != nil {
		return err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		return err
	}
	for _, id := range ids {
		err := pgx.BeginFunc(ctx, e.writes, func(tx pgx.Tx) error {
			for _, sql := range []string{
				`SET LOCAL lock_timeout = '50ms'`,
				`DROP TABLE IF EXISTS ` + e.table(id),
				fmt.Sprintf(`DELETE FROM %s.dropped WHERE id = %d`, e.schema, id),
			} {
				if _, err := tx.Exec(ctx, sql); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil && !isState(err, lockTimeout, deadlock) {
			return err
		}
	}
	return nil
}

// Spaces implements kv.Engine.
func (e *Engine) Spaces(ctx context.Context) ([]string, error) {
	const op = "postgres.Spaces"
	if err := e.enter(op); err != nil {
		return nil, err
	}
	defer e.writing.Done()
	rows, err := e.writes.Query(ctx, `SELECT name FROM `+e.schema+`.spaces ORDER BY name COLLATE "C"`)
	if err != nil {
		return nil, translate(op, err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return names, translate(op, err)
}

// Close implements kv.Engine. If a snapshot is still open it returns fault.Conflict, and the snapshot's connection is
// closed with it.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	e.mu.Unlock()

	e.writing.Wait()
	e.mu.Lock()
	for _, s := range e.spaces {
		s.end()
	}
	open := e.open
	e.mu.Unlock()
	e.writes.Close()
	if open > 0 {
		go e.reads.Close() // it ends when the last connection comes back
		return fault.Errorf(fault.Conflict, "postgres.Close", "%d snapshots are still open", open)
	}
	e.reads.Close()
	return nil
}

// lockOf is the number of an advisory lock. Two names may share a number: they then exclude each other, which costs
// time but breaks nothing.
func (e *Engine) lockOf(parts ...string) int64 {
	return hash(e.schema + "\x00" + strings.Join(parts, "\x00"))
}

func (e *Engine) spaceLock(id int64) int64 { return e.lockOf("space", fmt.Sprint(id)) }
