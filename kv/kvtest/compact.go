package kvtest

import (
	"fmt"
	"testing"

	"tarn/kv"
)

// testCompact: what stands stays, what was deleted stays deleted, an old snapshot keeps its state, and others may write.
func testCompact(t *testing.T, h Harness) {
	_, s := open(t, h)
	for i := range 300 {
		put(t, s, fmt.Sprintf("k%03d", i), fmt.Sprint(i))
	}
	must(t, write(t.Context(), s, func(b *kv.Batch) {
		b.DeleteRange([]byte("k100"), []byte("k200"))
		b.Delete([]byte("k250"))
		b.Set([]byte("k000"), []byte("new"))
	}))
	must(t, s.Compact(t.Context()))
	done := make(chan error, 1)
	go func() { done <- s.Compact(t.Context(), kv.Prefix([]byte("k1")), kv.Range{Start: []byte("k25")}) }()
	put(t, s, "k150", "again")
	must(t, <-done)
	must(t, s.Compact(t.Context(), kv.Range{}))
	n := snapshot(t, s)
	values, err := n.Get(t.Context(), []byte("k000"), []byte("k099"), []byte("k100"), []byte("k150"), []byte("k200"), []byte("k250"))
	must(t, err)
	want := []string{"new", "99", "", "again", "200", ""}
	for i, v := range values {
		if string(v) != want[i] {
			t.Errorf("value %d is %q, not %q", i, v, want[i])
		}
	}
	count := 0
	it := n.Scan(t.Context(), kv.Range{})
	for it.Next() {
		count++
	}
	must(t, it.Err())
	must(t, it.Close())
	if count != 200 {
		t.Errorf("%d rows, not 200", count)
	}
}
