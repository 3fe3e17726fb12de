package kvtest

import (
	"errors"
	"fmt"
	"testing"

	"tarn/fault"
	"tarn/kv"
)

// testBulk updates with sorted bulk data under locks, small and beyond any batch: it sees the lock keys' values, keeps
// others out until it is durable, and is there whole or not at all.
func testBulk(t *testing.T, h Harness) {
	_, s := open(t, h)
	put(t, s, "a", "0")
	for round, n := range []int{3, 20_000} {
		before := snapshot(t, s)
		entered, second := make(chan struct{}), make(chan error, 1)
		must(t, s.Update(t.Context(), [][]byte{[]byte("a")}, func(tx kv.Locked) (*kv.Batch, error) {
			equal(t, "the lock key", string(tx.Values[0]), fmt.Sprint(2*round))
			return kv.Bulk(func(yield func(kv.Entry, error) bool) {
				close(entered)
				go func() {
					second <- s.Update(t.Context(), [][]byte{[]byte("a")}, func(tx kv.Locked) (*kv.Batch, error) {
						b := &kv.Batch{}
						b.Set([]byte("a"), append([]byte(nil), fmt.Sprint(2*round+2)...))
						if string(tx.Values[0]) != fmt.Sprint(2*round+1) {
							return nil, fmt.Errorf("the next one sees %q", tx.Values[0])
						}
						return b, nil
					})
				}()
				if !yield(kv.Entry{Key: []byte("a"), Value: fmt.Append(nil, 2*round+1)}, nil) {
					return
				}
				numbered(0, n, 1000)(yield)
			}), nil
		}))
		<-entered
		must(t, <-second)
		after := snapshot(t, s)
		equal(t, "the old snapshot", list(t, before, kv.Range{End: []byte("b")}), fmt.Sprintf("a=%d", 2*round))
		equal(t, "the newest", list(t, after, kv.Range{End: []byte("b")}), fmt.Sprintf("a=%d", 2*round+2))
		equalAll(t, "the last", get(t, after, fmt.Sprintf("n%08d", n-1)), string(numberedValue(nil, n-1, 1000)))
	}
}

func testBulkRefused(t *testing.T, h Harness) {
	_, s := open(t, h)
	put(t, s, "a", "old")
	own := errors.New("the source broke")
	for _, n := range []int{3, 20_000} {
		for name, last := range map[string]func(yield func(kv.Entry, error) bool) bool{
			"its own error": func(yield func(kv.Entry, error) bool) bool { return yield(kv.Entry{}, own) },
			"a break of the order": func(yield func(kv.Entry, error) bool) bool {
				return yield(kv.Entry{Key: []byte("a")}, nil)
			},
		} {
			err := s.Update(t.Context(), [][]byte{[]byte("a")}, func(kv.Locked) (*kv.Batch, error) {
				return kv.Bulk(func(yield func(kv.Entry, error) bool) {
					for e, err := range numbered(0, n, 1000) {
						if !yield(e, err) {
							return
						}
					}
					last(yield)
				}), nil
			})
			equal(t, name, err == own || fault.Is(err, fault.Invalid), true)
		}
	}
	equal(t, "nothing was written", list(t, snapshot(t, s), kv.Range{KeysOnly: true}), "a")
	put(t, s, "a", "new") // the lock is free
}
