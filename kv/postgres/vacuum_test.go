package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"tarn/kv"
	"tarn/kv/postgres"
)

// TestCompact_leavesConnectionsToWriters compacts as many spaces as there are connections for writers, none of which comes to
// its end, since another session locks their tables.
func TestCompact_leavesConnectionsToWriters(t *testing.T) {
	t.Parallel()
	url := server.Database(t)
	e, err := postgres.Open(t.Context(), url, postgres.Options{Conns: 8}) // two of them write
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	written := space(t, e, "written")
	other, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close(context.Background()) }()
	tx, err := other.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var spaces []kv.Space
	for i := range 4 {
		name := fmt.Sprint("stuck", i)
		spaces = append(spaces, space(t, e, name))
		var id int64
		if err := tx.QueryRow(t.Context(), `SELECT id FROM tarn.spaces WHERE name = $1`, name).Scan(&id); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), fmt.Sprintf(`LOCK TABLE tarn.s%d IN SHARE UPDATE EXCLUSIVE MODE`, id)); err != nil {
			t.Fatal(err)
		}
	}
	var stuck sync.WaitGroup
	for _, s := range spaces {
		stuck.Go(func() {
			if err := s.Compact(t.Context(), kv.Range{}); err != nil {
				t.Error(err)
			}
		})
	}
	for waiting := 0; waiting == 0; {
		err := tx.QueryRow(t.Context(), `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'VACUUM%' AND wait_event_type = 'Lock'`).Scan(&waiting)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Exec(t.Context(), `SELECT pg_stat_clear_snapshot()`); err != nil {
			t.Fatal(err)
		}
	}
	in, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for range 50 {
		err := written.Update(in, nil, func(kv.Locked) (*kv.Batch, error) {
			b := &kv.Batch{}
			b.Set([]byte("k"), []byte("v"))
			return b, nil
		})
		if err != nil {
			t.Errorf("a write beside them: %v", err)
			break
		}
	}
	soon, stop := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer stop()
	if err := written.Compact(soon, kv.Range{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("whose time is over while it waits for its turn: %v", err)
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	stuck.Wait()
}
