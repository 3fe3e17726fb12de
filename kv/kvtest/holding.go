package kvtest

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"tarn/kv"
)

// Holding names the first row of a space that has the text in its key or its value, in capitals or not; "" where none has.
func Holding(t *testing.T, s kv.Space, text string) string {
	t.Helper()
	r, err := s.Snapshot(context.Background())
	must(t, err)
	defer func() { must(t, r.Close()) }()
	it := r.Scan(context.Background(), kv.Range{})
	defer func() { must(t, it.Close()) }()
	want := bytes.ToLower([]byte(text))
	for it.Next() {
		if bytes.Contains(bytes.ToLower(it.Key()), want) || bytes.Contains(bytes.ToLower(it.Value()), want) {
			return fmt.Sprintf("%q", it.Key()[:min(len(it.Key()), 40)])
		}
	}
	must(t, it.Err())
	return ""
}
