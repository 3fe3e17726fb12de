package postgres_test

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/postgres"
)

var (
	server  kvtest.Postgres
	schemas atomic.Int64
)

func TestMain(m *testing.M) {
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

// schema names a fresh schema that is removed at the end of the test.
func schema(t *testing.T) string {
	t.Helper()
	url := server.URL(t)
	name := fmt.Sprintf("tarn_test_%d_%d", os.Getpid(), schemas.Add(1))
	t.Cleanup(func() {
		ctx := context.Background() // that of the test has ended
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return
		}
		_, _ = conn.Exec(ctx, `DROP SCHEMA IF EXISTS `+name+` CASCADE`)
		_ = conn.Close(ctx)
	})
	return name
}

func open(t *testing.T, schema string, conns int) *postgres.Engine {
	t.Helper()
	e, err := postgres.Open(t.Context(), server.URL(t), postgres.Options{Schema: schema, Conns: conns})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) {
	t.Parallel()
	server.URL(t)
	var names sync.Map
	start := func(t *testing.T, schema string) kv.Engine {
		e := open(t, schema, 12)
		names.Store(e, schema)
		return e
	}
	kvtest.Run(t, kvtest.Harness{
		Open: func(t *testing.T) kv.Engine { return start(t, schema(t)) },
		Reopen: func(t *testing.T, e kv.Engine) kv.Engine {
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			name, _ := names.Load(e)
			return start(t, name.(string))
		},
		Waiting: func(_ *testing.T, s kv.Space) int { return postgres.Waiting(s) },
	})
}
