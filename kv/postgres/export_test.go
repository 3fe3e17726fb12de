package postgres

import (
	"context"

	"tarn/kv"
)

// Waiting is how many updates of s wait for their locks in this process.
func Waiting(s kv.Space) int { return s.(*space).locks.Waiting() }

// Setting is what the sessions of e have of the server; "" where it does not know it.
func Setting(ctx context.Context, e *Engine, name string) (value string, err error) {
	err = e.reads.QueryRow(ctx, `SELECT coalesce(current_setting($1, true), '')`, name).Scan(&value)
	return value, err
}
