package postgres_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"tarn/kv"
	"tarn/kv/postgres"
)

// TestEngine_takesFreshConnections lets the server end all connections while they lie idle, as a restart does: nobody who
// comes afterwards gets to know of it.
func TestEngine_takesFreshConnections(t *testing.T) {
	t.Parallel()
	url := server.Database(t)
	e, err := postgres.Open(t.Context(), url, postgres.Options{Conns: 8})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	s := space(t, e, "space")
	large := bytes.Repeat([]byte("x"), kv.MaxValue)
	load := func(entries int) error {
		return s.Load(t.Context(), func(yield func(kv.Entry, error) bool) {
			for i := range entries {
				if !yield(kv.Entry{Key: fmt.Appendf(nil, "k%d", i), Value: large}, nil) {
					return
				}
			}
		})
	}
	for what, use := range map[string]func() error{
		"snapshot":   func() error { count(t, s, "n"); return nil },
		"update":     func() error { return add(t, s, "n") },
		"small load": func() error { return load(1) },
		"large load": func() error { return load(4) },
	} {
		var wg sync.WaitGroup
		for i := range 12 { // all connections are made
			wg.Go(func() {
				count(t, s, "n")
				if err := add(t, s, fmt.Sprint("other", i)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		cut(t, url)
		if err := use(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// cut ends every connection to a database but its own.
func cut(t *testing.T, url string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(t.Context())
}
