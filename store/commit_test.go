package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tarn/fault"
	"tarn/fhir"
	"tarn/store"
)

func TestCommit_refusesBeforeItWaits(t *testing.T) {
	t.Parallel()
	d := newDisk()
	defer d.stop()
	s := open(d.space(), &clock{})
	defer func() { _ = s.Close() }()
	doc := document(types[0], 1, 0)
	ok := store.Write{Op: store.Put, Type: types[0], ID: "a", Resource: doc}
	edit := func(f func(*store.Write)) store.Transaction {
		w := ok
		f(&w)
		return store.Transaction{Writes: []store.Write{w}}
	}
	for name, c := range map[string]struct {
		t    store.Transaction
		kind fault.Kind
	}{
		"no operation":     {edit(func(w *store.Write) { w.Op = 0 }), fault.Invalid},
		"inner operation":  {edit(func(w *store.Write) { w.Op = 255 }), fault.Invalid},
		"no type":          {edit(func(w *store.Write) { w.Type = 0 }), fault.Invalid},
		"other type":       {edit(func(w *store.Write) { w.Type = types[1] }), fault.Invalid},
		"no id":            {edit(func(w *store.Write) { w.ID = "" }), fault.Invalid},
		"long id":          {edit(func(w *store.Write) { w.ID = strings.Repeat("x", 65) }), fault.Invalid},
		"bad id":           {edit(func(w *store.Write) { w.ID = "a/b" }), fault.Invalid},
		"no resource":      {edit(func(w *store.Write) { w.Resource = fhir.Resource{} }), fault.Invalid},
		"both conditions":  {edit(func(w *store.Write) { w.IfMatch, w.IfNoneMatch = 1, true }), fault.Invalid},
		"too large":        {edit(func(w *store.Write) { w.Resource = document(types[0], 1, store.MaxDocument) }), fault.TooLarge},
		"twice":            {store.Transaction{Writes: []store.Write{ok, ok}}, fault.Invalid},
		"guard of nothing": {store.Transaction{Guards: []store.Guard{{}}}, fault.Invalid},
		"future guard": {store.Transaction{Guards: []store.Guard{{AsOf: 9, Check: func(context.Context, *store.View) error { return nil }}},
			Writes: []store.Write{ok}}, fault.Invalid},
		"panicking guard": {store.Transaction{Writes: []store.Write{ok}, Guards: []store.Guard{{Check: func(context.Context, *store.View) error { panic("!") }}}}, fault.Internal},
		"rider":           {store.Transaction{Riders: []store.Rider{{}}}, fault.Invalid},
		"long rider key":  {store.Transaction{Riders: []store.Rider{{Key: make([]byte, store.MaxRiderKey+1)}}}, fault.TooLarge},
		"long rider":      {store.Transaction{Riders: []store.Rider{{Key: []byte("a"), Value: make([]byte, 1<<20+1)}}}, fault.TooLarge},
	} {
		if name == "panicking guard" { // runs only where something changed
			if _, err := s.Commit(t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[1], ID: "x", Resource: document(types[1], 1, 0)}}}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Commit(t.Context(), c.t); !fault.Is(err, c.kind) {
			t.Errorf("%s: %v, want %s", name, err, c.kind)
		}
	}
	_, err := s.Commit(t.Context(), store.Transaction{Writes: []store.Write{
		{Op: store.Put, Type: types[0], ID: "b", Resource: doc}, {Op: store.Put, Type: types[0], ID: "c", Resource: doc, IfMatch: 3}}})
	var we *store.WriteError
	if !errors.As(err, &we) || we.Write != 1 || !fault.Is(err, fault.Precondition) {
		t.Errorf("the failed write is not told: %v", err)
	}
}

// TestCommit_anySize commits documents around every bound and transactions far over a batch, and reads them back.
func TestCommit_anySize(t *testing.T) {
	t.Parallel()
	d := newDisk()
	defer d.stop()
	s := open(d.space(), &clock{})
	ctx := t.Context()
	empty := len(document(types[0], 1, 0).Bytes())
	want := map[string][]byte{}
	commit := func(bodies map[string]fhir.Resource) {
		var tr store.Transaction
		for id, r := range bodies {
			tr.Writes = append(tr.Writes, store.Write{Op: store.Put, Type: types[0], ID: id, Resource: r, Entries: []store.Entry{{Param: 1, Value: []byte(id)}}})
		}
		results, err := s.Commit(ctx, tr)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			final := bodies[r.ID].AppendStamped(nil, r.ID, r.Number, r.Instant)
			if !bytes.Equal(final, r.Body) {
				t.Errorf("%s: the result has other bytes", r.ID)
			}
			want[fmt.Sprint(r.ID, "/", r.Number)] = final
		}
	}
	for round := range 2 {
		for _, size := range []int{64<<10 - 120, 64 << 10, 1<<20 - empty, 1<<20 - empty + 1, 1 << 20, 2 << 20, store.MaxDocument - empty} {
			if round > 0 && size > 2<<20 {
				continue
			}
			commit(map[string]fhir.Resource{fmt.Sprint(size): document(types[0], round, size)})
		}
	}
	many := map[string]fhir.Resource{} // 17 MiB of documents that would each lie in their row
	for i := range 340 {
		many[fmt.Sprint("m", i)] = document(types[0], i, 50<<10)
	}
	commit(many)
	v, err := s.Latest(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for key, body := range want {
		id, number, _ := strings.Cut(key, "/")
		var n uint64
		_, _ = fmt.Sscan(number, &n)
		got, err := v.ReadVersion(ctx, types[0], id, n)
		if err != nil || !bytes.Equal(got.Body, body) {
			t.Errorf("%s: %d bytes, %v; want %d", key, len(got.Body), err, len(body))
		}
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	// Entries cannot be sent before: what does not fit is refused, and nothing is left of it.
	w := store.Write{Op: store.Put, Type: types[0], ID: "entries", Resource: document(types[0], 1, 2<<20)}
	for i := range 100_000 {
		w.Entries = append(w.Entries, store.Entry{Param: uint16(i % 100), Value: fmt.Appendf(nil, "%0100d", i)})
	}
	if _, err := s.Commit(ctx, store.Transaction{Writes: []store.Write{w}}); !fault.Is(err, fault.TooLarge) || fault.Hint(err) == "" {
		t.Error(err)
	}
	w.Entries = w.Entries[:30_000] // forward rows over one value
	for range 2 {
		r, err := s.Commit(ctx, store.Transaction{Writes: []store.Write{w}})
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.Latest(ctx)
		if err != nil {
			t.Fatal(err)
		}
		entries, _, err := v.Forward(ctx, types[0], r[0].Ordinal)
		if err := same("forward", len(entries), len(w.Entries), err); err != nil {
			t.Error(err)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
		w.Entries = w.Entries[:100]
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestFix_underAnyClock reads the clock as it jumps; the seal holds.
func TestFix_underAnyClock(t *testing.T) {
	t.Parallel()
	d, c := newDisk(), &clock{}
	defer d.stop()
	s := open(d.space(), c)
	for i, now := range []int64{5_000, 5_000, 1, -1 << 60, 9_000, 8_999, 1 << 60, 7} {
		c.Store(now)
		at, err := s.Fix(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		r, err := s.Commit(t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: types[0], ID: "a", Resource: document(types[0], i, 0)}}})
		if now >= 1<<60 || i > 6 { // the end of all instants
			if !fault.Is(err, fault.Conflict) {
				t.Errorf("at %d: %v", now, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if r[0].Instant <= at.Instant || r[0].Tx != at.Tx+1 {
			t.Errorf("at %d: fixed %v, then committed %d at %d", now, at, r[0].Tx, r[0].Instant)
		}
		v, err := s.Latest(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		got, err := v.TxAt(t.Context(), at.Instant)
		if err := same("TxAt", got, at.Tx, err); err != nil {
			t.Error(err)
		}
		if err := v.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestEntry_keysSortAsValues holds the order of search keys and that they come apart again.
func TestEntry_keysSortAsValues(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 2, 'a', 0xfe, 0xff}), 0, 6)
		a, b := value.Draw(t, "a"), value.Draw(t, "b")
		i, j := rapid.Uint32().Draw(t, "i"), rapid.Uint32().Draw(t, "j")
		want := bytes.Compare(a, b)
		if want == 0 {
			want = int(max(min(int64(i)-int64(j), 1), -1))
		}
		ka, kb := store.EscapeValue(a, store.Ordinal(i)), store.EscapeValue(b, store.Ordinal(j))
		if got := bytes.Compare(ka, kb); got != want {
			t.Fatalf("order %d, want %d", got, want)
		}
		if v, o, ok := store.UnescapeValue(ka); !ok || !bytes.Equal(v, a) || o != store.Ordinal(i) {
			t.Fatalf("came back as %x %d %v", v, o, ok)
		}
	})
}

func FuzzRows(f *testing.F) {
	f.Add([]byte{1, 0, 1})
	f.Add(bytes.Repeat([]byte{1}, 80))
	f.Fuzz(func(t *testing.T, data []byte) { // no bytes on disk may end the process
		store.ParseRow(data)
		_ = store.ParseHead(data)
		store.ParseForward(data)
		store.UnescapeValue(data)
	})
}
