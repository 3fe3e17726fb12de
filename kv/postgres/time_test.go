package postgres_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"tarn/kv"
	"tarn/kv/postgres"
)

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

func exec(t *testing.T, conn *pgx.Conn, sql string) {
	t.Helper()
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

// pairs are rows of 1 MiB.
func pairs(n int) func(yield func(kv.Entry, error) bool) {
	return func(yield func(kv.Entry, error) bool) {
		for i := range n {
			if !yield(kv.Entry{Key: fmt.Appendf(nil, "row %d", i), Value: bytes.Repeat([]byte{byte(i)}, kv.MaxValue)}, nil) {
				return
			}
		}
	}
}

// TestEngine_takesItsTime works in a database that gives sessions a millisecond for everything.
func TestEngine_takesItsTime(t *testing.T) {
	t.Parallel()
	url := server.Database(t)
	conn := connect(t, url)
	var name string
	if err := conn.QueryRow(t.Context(), `SELECT current_database()`).Scan(&name); err != nil {
		t.Fatal(err)
	}
	limits := []string{"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout", "idle_session_timeout"}
	for _, limit := range limits {
		least := "1"
		if limit == "idle_session_timeout" {
			least = "60000" // it holds until a session has said that it does not want it
		}
		if _, err := conn.Exec(t.Context(), `ALTER DATABASE `+name+` SET `+limit+` = `+least); err != nil {
			t.Logf("left out: %v", err) // this release does not know it
		}
	}
	e, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.Close() }()
	for _, limit := range limits {
		if value, err := postgres.Setting(t.Context(), e, limit); err != nil || value != "0" && value != "" {
			t.Errorf("%s is %s, %v", limit, value, err)
		}
	}
	s := space(t, e, "space")
	if err := s.Load(t.Context(), pairs(4)); err != nil {
		t.Errorf("a load: %v", err)
	}
}
