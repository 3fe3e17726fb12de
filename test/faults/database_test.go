package faults_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/jackc/pgx/v5"

	"tarn/kv/kvtest"
)

// cut ends every connection to the database but its own, as a restart of PostgreSQL does.
func (h *house) cut() {
	h.t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, h.database)
	must(h.t, err)
	_, err = conn.Exec(ctx, `SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	must(h.t, err)
	must(h.t, conn.Close(ctx))
}

// cutAtPut and cutAtWrite cut at the n-th from now on.
func (h *house) cutAtPut(n int) { h.at(n, h.cut) }

func (h *house) cutAtWrite(n int) {
	h.writes.Hook(func(w kvtest.Write) kvtest.Fault {
		if w.N == n {
			h.cut()
		}
		return kvtest.NoFault
	})
}

func (h *house) calm() {
	h.writes.Hook(nil)
	h.puts.Hook(nil)
}

// TestDatabase_endsEveryConnection does so at each put and at each write of an export and of an import, while the
// connection of the write is in the middle of it: they end as if nothing had happened.
func TestDatabase_endsEveryConnection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := buildOn(t, databases.Database(t))
		h.input("n0000")
		h.calm()
		rec := h.startImport("n0000")
		h.run()
		want := h.imported(rec, "n0000")
		h.eachWay(func(what string, n int, cut func()) {
			name := fmt.Sprintf("%s%02d", what[:3], n)
			h.input(name)
			cut()
			rec := h.startImport(name)
			h.run()
			h.calm()
			if got := h.imported(rec, name); got != want {
				t.Errorf("import, %s %d:\n%s\nwant\n%s", what, n, got, want)
			}
		})
	})
	synctest.Test(t, func(t *testing.T) {
		h := buildOn(t, databases.Database(t))
		h.fill()
		h.calm()
		rec := h.startExport("calm")
		h.run()
		want := h.exported(rec)
		h.eachWay(func(what string, n int, cut func()) {
			what = fmt.Sprintf("export, %s %d", what, n)
			cut()
			rec := h.startExport(what)
			h.run()
			h.calm()
			h.whole(what, rec, want)
		})
	})
}

// eachWay does something with each put and each write of what was done last, at which cut lets the connections end.
func (h *house) eachWay(do func(what string, n int, cut func())) {
	h.t.Helper()
	puts, writes := h.puts.Puts(), h.writes.Writes()
	if puts < 2 || writes < 10 {
		h.t.Fatalf("%d puts, %d writes", puts, writes)
	}
	for n := range puts {
		do("put", n+1, func() { h.cutAtPut(n + 1) })
	}
	for n := range writes {
		do("write", n+1, func() { h.cutAtWrite(n + 1) })
	}
}
