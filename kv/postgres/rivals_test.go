package postgres_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"tarn/fault"
	"tarn/kv"
	"tarn/kv/postgres"
)

func space(t *testing.T, e kv.Engine, name string) kv.Space {
	t.Helper()
	s, err := e.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// add counts one up under key.
func add(t *testing.T, s kv.Space, keys ...string) error {
	var lock [][]byte
	for _, k := range keys {
		lock = append(lock, []byte(k))
	}
	return s.Update(t.Context(), lock, func(tx kv.Locked) (*kv.Batch, error) {
		var b kv.Batch
		for i, v := range tx.Values {
			n, _ := strconv.Atoi(string(v))
			b.Set(lock[i], fmt.Append(nil, n+1))
		}
		return &b, nil
	})
}

func count(t *testing.T, s kv.Space, key string) string {
	t.Helper()
	n, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = n.Close() }()
	values, err := n.Get(t.Context(), []byte(key))
	if err != nil {
		t.Fatal(err)
	}
	return string(values[0])
}

// TestEngine_neverStarvesItself lets many more callers than connections wait for one lock, hold snapshots and write
// while they hold them.
func TestEngine_neverStarvesItself(t *testing.T) {
	t.Parallel()
	for _, conns := range []int{2, 4} {
		e := open(t, schema(t), conns)
		s := space(t, e, "space")
		var wg sync.WaitGroup
		for range 32 {
			wg.Go(func() {
				for range 4 {
					n, err := s.Snapshot(t.Context())
					if err != nil {
						t.Errorf("snapshot: %v", err)
						return
					}
					if err := add(t, s, "hot"); err != nil {
						t.Errorf("update: %v", err)
					}
					if _, err := n.Get(t.Context(), []byte("hot")); err != nil {
						t.Errorf("get: %v", err)
					}
					_ = n.Close()
				}
			})
		}
		wg.Wait()
		if got := count(t, s, "hot"); got != "128" {
			t.Errorf("%d connections: counted %s, want 128", conns, got)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestEngine_sharesASchema lets two engines, as two nodes would, count under the same locks.
func TestEngine_sharesASchema(t *testing.T) {
	t.Parallel()
	name := schema(t)
	a, b := open(t, name, 8), open(t, name, 8)
	defer func() { _ = a.Close() }()
	defer func() { _ = b.Close() }()
	var wg sync.WaitGroup
	spaces := make([]kv.Space, 4)
	for i := range spaces {
		wg.Go(func() { // opened at the same time
			e := []*postgres.Engine{a, b}[i%2]
			s, err := e.Open(t.Context(), "shared")
			if err != nil {
				t.Errorf("open: %v", err)
			}
			spaces[i] = s
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	for i, s := range spaces {
		wg.Go(func() {
			for range 20 {
				keys := []string{"x", "y"}
				if i%2 == 1 {
					keys = []string{"y", "x"}
				}
				if err := add(t, s, keys...); err != nil {
					t.Errorf("update: %v", err)
				}
			}
		})
	}
	wg.Wait()
	for _, key := range []string{"x", "y"} {
		if got := count(t, spaces[0], key); got != "80" {
			t.Errorf("%s: counted %s, want 80", key, got)
		}
	}
}

// TestDrop_isSeenByOtherNodes drops a space in one engine: the other one's handle is gone, and stays so when the space
// is made again.
func TestDrop_isSeenByOtherNodes(t *testing.T) {
	t.Parallel()
	name := schema(t)
	a, b := open(t, name, 8), open(t, name, 8)
	defer func() { _ = a.Close() }()
	defer func() { _ = b.Close() }()
	old := space(t, b, "shared")
	if err := add(t, old, "k"); err != nil {
		t.Fatal(err)
	}
	for _, again := range []bool{false, true} {
		if err := a.Drop(t.Context(), "shared"); err != nil {
			t.Fatal(err)
		}
		if again {
			if err := add(t, space(t, a, "shared"), "k"); err != nil {
				t.Fatal(err)
			}
		}
		if err := add(t, old, "k"); !fault.Is(err, fault.Gone) {
			t.Errorf("update by the other node: got %v, want an error of the kind gone", err)
		}
		if _, err := old.Snapshot(t.Context()); !fault.Is(err, fault.Gone) {
			t.Errorf("snapshot by the other node: got %v, want an error of the kind gone", err)
		}
	}
	if got := count(t, space(t, b, "shared"), "k"); got != "1" {
		t.Errorf("the new space holds %s, want 1", got)
	}
}

func TestOpen_saysWhatIsWrong(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, url string
		kind      fault.Kind
	}{
		{"no URL", "postgres://user:secret@[bad", fault.Invalid},
		{"nobody there", "postgres://user:secret@127.0.0.1:1/none?connect_timeout=2", fault.Unavailable},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := postgres.Open(t.Context(), c.url, postgres.Options{})
			if !fault.Is(err, c.kind) {
				t.Errorf("got %v, want an error of the kind %q", err, c.kind)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the password stands in the error: %v", err)
			}
		})
	}
}
