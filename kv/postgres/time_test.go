package postgres_test

import (
	"bytes"
	"context"
	"errors"
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

// TestEngine_tellsWhetherItWasWritten ends a context while the server commits: it is not told then that nothing is written
// where it is.
func TestEngine_tellsWhetherItWasWritten(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"update", "load", "large load"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			in := schema(t)
			e := open(t, in, 4)
			defer func() { _ = e.Close() }()
			s, conn := space(t, e, "space"), connect(t, server.URL(t))
			var id, number int64
			if err := conn.QueryRow(t.Context(), `SELECT id, hashtextextended($1, 0) FROM `+in+`.spaces WHERE name = 'space'`, in+how).Scan(&id, &number); err != nil {
				t.Fatal(err)
			}
			exec(t, conn, fmt.Sprintf(`SELECT pg_advisory_lock(%d)`, number))
			exec(t, conn, fmt.Sprintf(`CREATE FUNCTION %s.hold() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_advisory_xact_lock_shared(%d); RETURN NULL; END'`, in, number))
			exec(t, conn, fmt.Sprintf(`CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON %s.s%d DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION %s.hold()`, in, id, in))
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() {
				switch how {
				case "update":
					ended <- s.Update(ctx, [][]byte{[]byte("row 0")}, func(kv.Locked) (*kv.Batch, error) {
						b := &kv.Batch{}
						b.Set([]byte("row 0"), []byte("there"))
						return b, nil
					})
				case "load":
					ended <- s.Load(ctx, pairs(1))
				default:
					ended <- s.Load(ctx, pairs(4))
				}
			}()
			for waits := false; !waits; {
				if err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid) `+
					`WHERE l.locktype = 'advisory' AND NOT l.granted AND l.mode = 'ShareLock' AND a.datname = current_database() `+
					`AND (l.classid::bigint << 32 | l.objid::bigint) = $1)`, number).Scan(&waits); err != nil {
					t.Fatal(err)
				}
			}
			cancel()
			exec(t, conn, fmt.Sprintf(`SELECT pg_advisory_unlock(%d)`, number))
			err := <-ended
			if there := count(t, s, "row 0") != ""; there != (err == nil) {
				t.Errorf("it is there: %v; %v", there, err)
			}
			if errors.Is(err, context.Canceled) {
				t.Errorf("it was broken off while it committed: %v", err)
			}
		})
	}
}
