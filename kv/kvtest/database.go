package kvtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Engine names the environment variable that says on which engine the tests that run servers, or rooms over an engine,
// keep their rows: postgres, or nothing for the embedded one.
const Engine = "TARN_TEST_ENGINE"

// PostgresWanted reports whether it says postgres.
func PostgresWanted(t testing.TB) bool {
	t.Helper()
	switch engine := os.Getenv(Engine); engine {
	case "":
		return false
	case "postgres":
		return true
	default:
		t.Fatalf("%s=%q is no engine; postgres is one", Engine, engine)
		return false
	}
}

// Database is the address of an empty database of the server, which goes when the test ends. See URL.
func (p *Postgres) Database(t testing.TB) string {
	t.Helper()
	at, err := url.Parse(p.URL(t))
	if err != nil {
		t.Fatalf("%s is no URL", PostgresURL) // the error would repeat it, and with it a password
	}
	var b [6]byte
	rand.Read(b[:])
	name := "tarn_test_" + hex.EncodeToString(b[:])
	if err := tell(at.String(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tell(p.URL(t), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Error(err)
		}
	})
	at.Path = "/" + name
	return at.String()
}

// tell sends one statement.
func tell(to, sql string) error {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, to)
	if err != nil {
		return err
	}
	_, err = conn.Exec(ctx, sql)
	_ = conn.Close(ctx)
	return err
}
