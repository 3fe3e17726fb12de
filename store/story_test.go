package store_test

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"pgregory.net/rapid"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/kv"
	"tarn/kv/pebble"
	"tarn/store"
)

const params = 3

// values are index values that are hard to keep in order.
var values = [][]byte{{}, {0}, {0, 0}, {0, 1}, {0, 0xff}, {1}, []byte("a"), []byte("a\x00"), []byte("a\x00\x01b"), []byte("ab"), {0xff}, {0xff, 0xff},

	bytes.Repeat([]byte("x"), 255), bytes.Repeat([]byte("x"), 256), bytes.Repeat([]byte{0}, 300), append(bytes.Repeat([]byte("x"), 300), 'y')}

// document makes a resource of about size bytes whose content tells seed.
func document(typ r4.Code, seed, size int) fhir.Resource {
	text := fmt.Sprintf(`{"resourceType":%q,"language":"%d%s"}`, typ, seed, strings.Repeat("z", size))
	r, err := fhir.NewParser(fhir.Limits{MaxBytes: 20 << 20}).Parse([]byte(text))
	if err != nil {
		panic(err)
	}
	return r
}

// disk is an engine in memory that can be stopped, or crashed, and started again.
type disk struct {
	fs     *vfs.MemFS
	engine *pebble.Engine
}

func newDisk() *disk {
	d := &disk{fs: vfs.NewCrashableMem()}
	d.start()
	return d
}

func (d *disk) start() kv.Space {
	var err error
	if d.engine, err = pebble.Open("data", pebble.Options{FS: d.fs}); err != nil {
		panic(err)
	}
	return d.space()
}

func (d *disk) space() kv.Space {
	s, err := d.engine.Open(context.Background(), "ds-story")
	if err != nil {
		panic(err)
	}
	return s
}

func (d *disk) stop() {
	if err := d.engine.Close(); err != nil {
		panic(err)
	}
}

// clock is a clock that jumps.
type clock struct{ atomic.Int64 }

func (c *clock) now() time.Time { return time.UnixMilli(c.Load()) }

func open(space kv.Space, c *clock) *store.Store {
	s, err := store.Open(context.Background(), space, store.Options{Now: c.now})
	if err != nil {
		panic(err)
	}
	return s
}

func drawWrite(t *rapid.T, seed int) store.Write {
	w := store.Write{
		Op:   rapid.SampledFrom([]store.Op{store.Create, store.Put, store.Put, store.Put, store.Delete, store.Delete}).Draw(t, "op"),
		Type: rapid.SampledFrom(types).Draw(t, "type"),
		ID:   rapid.SampledFrom([]string{"a", "b", "c", "d", "e.f", "G-1", strings.Repeat("x", 64)}).Draw(t, "id"),
	}
	switch rapid.IntRange(0, 9).Draw(t, "condition") {
	case 0:
		w.IfNoneMatch = true
	case 1, 2:
		w.IfMatch = uint64(rapid.IntRange(1, 4).Draw(t, "version"))
	}
	if w.Op == store.Delete {
		return w
	}
	size := 0
	switch n := rapid.IntRange(0, 400).Draw(t, "size"); {
	case n == 400:
		size = 1100 << 10 // uploaded
	case n > 390:
		size = 70 << 10 // apart
	}
	w.Resource = document(w.Type, seed, size)
	w.Epoch = uint32(rapid.IntRange(0, 2).Draw(t, "epoch"))
	for range rapid.IntRange(0, 4).Draw(t, "entries") {
		w.Entries = append(w.Entries, store.Entry{Param: uint16(rapid.IntRange(1, params).Draw(t, "param")), Value: rapid.SampledFrom(values).Draw(t, "value")})
	}
	return w
}

func drawTransaction(t *rapid.T, seed int) store.Transaction {
	tr := store.Transaction{Bulk: rapid.Bool().Draw(t, "bulk")}
	seen := map[name]bool{}
	for i := range rapid.SampledFrom([]int{0, 1, 1, 1, 2, 5}).Draw(t, "writes") {
		if w := drawWrite(t, seed*10+i); !seen[name{w.Type, w.ID}] {
			seen[name{w.Type, w.ID}] = true
			tr.Writes = append(tr.Writes, w)
		}
	}
	if rapid.IntRange(0, 3).Draw(t, "rides") == 0 {
		r := store.Rider{Key: []byte{'k', byte(rapid.IntRange(0, 2).Draw(t, "rider"))}}
		if rapid.Bool().Draw(t, "keep") {
			r.Value = fmt.Appendf([]byte{}, "%d", seed)
		}
		tr.Riders = append(tr.Riders, r)
	}
	return tr
}

// TestStore_isTheModel tells random stories to a Store and to the model and asks both the same.
func TestStore_isTheModel(t *testing.T) {
	t.Parallel()
	for i := range 4 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, story)
		})
	}
}

func story(t *rapid.T) {
	ctx := context.Background()
	d, c, m := newDisk(), &clock{}, newModel()
	c.Store(1_700_000_000_000)
	s := open(d.space(), c)
	var kept []*store.View
	release := func() {
		for _, v := range kept {
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
		}
		kept = nil
	}
	defer func() {
		release()
		_ = s.Close()
		d.stop()
	}()
	view := func(tx store.TxID) *store.View {
		v, err := s.At(ctx, tx)
		if err != nil {
			t.Fatalf("at %d: %v", tx, err)
		}
		return v
	}
	ask := func(v *store.View) {
		if err := differ(ctx, m, v); err != nil {
			t.Fatal(err)
		}
	}
	for step := range rapid.IntRange(1, 30).Draw(t, "steps") {
		if jump := rapid.IntRange(-3, 12).Draw(t, "clock"); jump == 12 {
			c.Add(int64(rapid.IntRange(-1e12, 1e9).Draw(t, "jump")))
		} else {
			c.Add(int64(jump))
		}
		switch rapid.IntRange(0, 24).Draw(t, "step") {
		default:
			commitOne(ctx, t, s, m, c, drawTransaction(t, step))
		case 0:
			if len(kept) < 5 {
				kept = append(kept, view(store.TxID(rapid.Uint64Range(0, uint64(m.tx)).Draw(t, "tx"))))
			}
		case 1:
			fixOne(ctx, t, s, m, c)
		case 2:
			release()
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			d.stop()
			s = open(d.start(), c)
		case 3:
			for _, v := range kept {
				ask(v)
			}
		case 4:
			release() // the index has no versions: an older view would show the older entries
			reindexOne(ctx, t, s, m)
		case 5, 6:
			release() // an older view would show what it was opened upon
			eraseOne(ctx, t, s, m, c)
		case 7:
			release()
			purgeOne(ctx, t, s, m)
		case 8:
			release()
			trimOne(ctx, t, s, m)
		}
	}
	for _, v := range kept {
		ask(v)
	}
	for tx := range m.tx + 1 {
		v := view(tx)
		ask(v)
		if err := v.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.At(ctx, m.tx+1); !fault.Is(err, fault.Invalid) {
		t.Fatalf("a view of the future: %v", err)
	}
	for key, want := range m.riders {
		got, err := s.Rider(ctx, []byte(key))
		if err := same("rider", got, want, err); err != nil {
			t.Fatal(err)
		}
	}
}

func commitOne(ctx context.Context, t *rapid.T, s *store.Store, m *model, c *clock, tr store.Transaction) {
	if rapid.IntRange(0, 5).Draw(t, "guarded") == 0 {
		guardOne(t, m, &tr)
	}
	results, err := s.Commit(ctx, tr)
	kind, failed := m.fails(tr)
	for _, g := range tr.Guards {
		if g.AsOf != m.tx && !failed { // the check ran if anything of its types changed
			if g.Check(ctx, nil) != nil && changedSince(m, g) {
				kind, failed = fault.Conflict, true
			}
		}
	}
	if failed || err != nil {
		if !failed || fault.KindOf(err) != kind && len(tr.Guards) == 0 || err == nil {
			t.Fatalf("commit: %v, expected failure %v of kind %s", err, failed, kind)
		}
		return
	}
	now := min(max(fhir.Instant(c.Load()), 0), 253402300799999)
	want := m.apply(tr, m.after(now))
	if err := same("results", results, want, nil); err != nil && len(results) > 0 {
		t.Fatal(err)
	}
	head, err := s.Head(ctx)
	if err := same("head", head, store.Point{Tx: m.tx, Instant: m.instant}, err); err != nil {
		t.Fatal(err)
	}
}

func changedSince(m *model, g store.Guard) bool {
	for typ, list := range m.changes {
		for _, c := range list {
			for _, want := range append([]r4.Code{}, g.Types...) {
				if typ == want && c.Tx > g.AsOf {
					return true
				}
			}
		}
	}
	return len(g.Types) == 0 && m.tx > g.AsOf
}

// guardOne adds a guard whose check looks at the view that it gets.
func guardOne(t *rapid.T, m *model, tr *store.Transaction) {
	refuse := rapid.Bool().Draw(t, "refuse")
	head := m.tx
	g := store.Guard{AsOf: store.TxID(rapid.Uint64Range(0, uint64(m.tx)).Draw(t, "as of"))}
	if rapid.Bool().Draw(t, "typed") {
		g.Types = []r4.Code{rapid.SampledFrom(types).Draw(t, "guards")}
	}
	g.Check = func(ctx context.Context, v *store.View) error {
		if v != nil && v.Tx() != head {
			return fault.Errorf(fault.Internal, "test", "the guard sees %d, not %d", v.Tx(), head)
		}
		if v != nil {
			if err := differ(ctx, m, v); err != nil {
				return fault.Errorf(fault.Internal, "test", "%s", err)
			}
		}
		if refuse {
			return fault.Errorf(fault.Conflict, "test", "no")
		}
		return nil
	}
	tr.Guards = append(tr.Guards, g)
}

func fixOne(ctx context.Context, t *rapid.T, s *store.Store, m *model, c *clock) {
	at, err := s.Fix(ctx)
	m.instant, m.sealed = max(m.instant, min(max(fhir.Instant(c.Load()), 0), 253402300799999)), true
	if err := same("fix", at, store.Point{Tx: m.tx, Instant: m.instant}, err); err != nil {
		t.Fatal(err)
	}
}
