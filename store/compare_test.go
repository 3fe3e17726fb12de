package store_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

var types = []r4.Code{code("Basic"), code("Observation"), code("Patient")}

func code(name string) r4.Code {
	c, ok := r4.CodeOf(name)
	if !ok {
		panic(name)
	}
	return c
}

// differ asks a view everything and reports the first answer that is not the model's.
func differ(ctx context.Context, m *model, v *store.View) error {
	var had []r4.Code
	for _, typ := range types {
		if err := differType(ctx, m, v, typ); err != nil {
			return fmt.Errorf("as of %d, %s: %w", v.Tx(), typ, err)
		}
		if m.census(typ, v.Tx()).Next > 0 {
			had = append(had, typ)
		}
	}
	if err := differTrail(ctx, m, v); err != nil {
		return fmt.Errorf("as of %d: %w", v.Tx(), err)
	}
	got, err := v.Types(ctx)
	if err := same("types", slices.Clip(got), had, err); err != nil && len(got)+len(had) > 0 {
		return err
	}
	for _, at := range append([]fhir.Instant{-1, 0, m.instant, m.instant + 1}, m.instants...) {
		for d := fhir.Instant(-1); d <= 1; d++ {
			got, err := v.TxAt(ctx, at+d)
			if err := same("TxAt", got, m.txAt(v.Tx(), at+d), err); err != nil {
				return fmt.Errorf("as of %d, at %d: %w", v.Tx(), at+d, err)
			}
		}
	}
	return nil
}

func same[T any](what string, got, want T, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if reflect.DeepEqual(got, want) {
		return nil
	}
	if d := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmp.Transformer("body", func(b []byte) string { return string(b[:min(len(b), 300)]) })); d != "" {
		if len(d) > 2000 {
			d = d[:2000]
		}
		return fmt.Errorf("%s differs (-want +got):\n%s", what, d)
	}
	return nil
}

func differType(ctx context.Context, m *model, v *store.View, typ r4.Code) error {
	census, err := v.Census(ctx, typ)
	if err := same("census", census, m.census(typ, v.Tx()), err); err != nil {
		return err
	}
	n := store.Ordinal(len(m.byType[typ]))
	for _, r := range [][2]store.Ordinal{{0, store.End}, {0, n}, {n / 3, n - n/3}, {n, n + 1}, {2, 1}, {0, 0}} {
		if err := differScan(ctx, m, v, typ, r[0], r[1]); err != nil {
			return fmt.Errorf("scan %v: %w", r, err)
		}
	}
	for i, r := range m.byType[typ] {
		if err := differResource(ctx, m, v, typ, store.Ordinal(i), r); err != nil {
			return fmt.Errorf("resource %d: %w", i, err)
		}
	}
	if _, err := v.Read(ctx, typ, "never"); !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("reading what never was: %v", err)
	}
	if err := differChanges(ctx, m, v, typ); err != nil {
		return err
	}
	if err := differLookup(ctx, m, v, typ); err != nil {
		return err
	}
	return differSearch(ctx, m, v, typ)
}

func differScan(ctx context.Context, m *model, v *store.View, typ r4.Code, from, to store.Ordinal) error {
	var want, got []store.Version
	for i, r := range m.byType[typ] {
		if ver := r.asOf(v.Tx()); ver != nil && !ver.Deleted && store.Ordinal(i) >= from && store.Ordinal(i) < to {
			want = append(want, ver.Version)
		}
	}
	s := v.Scan(ctx, typ, from, to)
	for s.Next() {
		version := s.Version()
		version.Body = slices.Clone(version.Body)
		got = append(got, version)
	}
	if err := s.Close(); err != nil {
		return err
	}
	if err := same("lost", s.Lost(), m.lost(v.Tx(), typ, from, to), nil); err != nil {
		return err
	}
	return same("scan", got, want, s.Err())
}

// lost are the resources of which it cannot be told what they were.
func (m *model) lost(tx store.TxID, typ r4.Code, from, to store.Ordinal) (lost []store.Lost) {
	for i, r := range m.byType[typ] {
		switch o := store.Ordinal(i); {
		case o < from || o >= to || r.born.Tx > tx:
		case r.veil > tx:
			lost = append(lost, store.Lost{Ordinal: o, ID: r.born.ID, Erased: r.veil})
		case r.missing(tx):
			lost = append(lost, store.Lost{Ordinal: o, ID: r.born.ID})
		}
	}
	return lost
}

func differResource(ctx context.Context, m *model, v *store.View, typ r4.Code, ordinal store.Ordinal, r *resource) error {
	id := r.born.ID
	if r.missing(v.Tx()) {
		if _, err := v.Read(ctx, typ, id); !errors.Is(err, store.ErrRemoved) || !fault.Is(err, fault.Gone) {
			return fmt.Errorf("read of what was removed: %v", err)
		}
		return nil
	}
	var history []store.Version
	for _, ver := range r.versions {
		got, err := v.ReadVersion(ctx, typ, id, ver.Number)
		switch {
		case ver.Tx > v.Tx():
			if !fault.Is(err, fault.NotFound) {
				return fmt.Errorf("version %d: %v", ver.Number, err)
			}
			continue
		case ver.Deleted && fault.Is(err, fault.Gone):
			err = nil
		}
		if err := same("ReadVersion", got, ver.Version, err); err != nil {
			return err
		}
		history = append(history, ver.Version)
	}
	slices.Reverse(history)
	last := r.versions[len(r.versions)-1].Number
	if _, err := v.ReadVersion(ctx, typ, id, last+1); !fault.Is(err, fault.NotFound) {
		return fmt.Errorf("version after the last: %v", err)
	}
	for number := range r.versions[0].Number {
		want := fault.Gone // erased, or removed
		if number == 0 || r.born.Tx > v.Tx() {
			want = fault.NotFound
		}
		if _, err := v.ReadVersion(ctx, typ, id, number); !fault.Is(err, want) {
			return fmt.Errorf("version %d, which is gone: %v", number, err)
		}
	}
	for _, read := range []func() (store.Version, error){
		func() (store.Version, error) { return v.Read(ctx, typ, id) },
		func() (store.Version, error) { return v.ReadOrdinal(ctx, typ, ordinal) },
	} {
		got, err := read()
		if len(history) == 0 && r.born.Tx <= v.Tx() { // erased since
			if got.Number != 0 || !got.Erased || !fault.Is(err, fault.Gone) {
				return fmt.Errorf("read of what was erased since: %+v, %v", got, err)
			}
			continue
		}
		if len(history) == 0 {
			if !fault.Is(err, fault.NotFound) {
				return fmt.Errorf("read before it was there: %v", err)
			}
			continue
		}
		if history[0].Deleted && fault.Is(err, fault.Gone) {
			err = nil
		}
		if err := same("Read", got, history[0], err); err != nil {
			return err
		}
	}
	for before := store.TxID(0); ; { // pages of two
		var page []store.Version
		for got, err := range v.History(ctx, typ, id, before) {
			if r.born.Tx > v.Tx() && fault.Is(err, fault.NotFound) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("history: %w", err)
			}
			if page = append(page, got); len(page) == 2 {
				break
			}
		}
		if err := same("history", page, slices.Clone(history[:min(2, len(history))]), nil); err != nil && len(page)+len(history) > 0 {
			return err
		}
		if history = history[len(page):]; len(page) == 0 {
			return nil
		}
		before = page[len(page)-1].Tx
	}
}

func differChanges(ctx context.Context, m *model, v *store.View, typ r4.Code) error {
	for _, in := range [][2]store.TxID{{0, v.Tx()}, {v.Tx() / 3, v.Tx() + 9}, {v.Tx() / 2, v.Tx() / 2}, {0, v.Tx() / 2}} {
		var got, want, back []store.ChangeRow
		for _, c := range m.changes[typ] {
			if c.Tx > in[0] && c.Tx <= min(in[1], v.Tx()) {
				want = append(want, c)
			}
		}
		slices.SortFunc(want, func(a, b store.ChangeRow) int {
			if a.Tx != b.Tx {
				return int(a.Tx) - int(b.Tx)
			}
			return int(a.Ordinal) - int(b.Ordinal)
		})
		for c, err := range v.Changes(ctx, typ, in[0], in[1]) {
			if err != nil {
				return err
			}
			got = append(got, c)
		}
		for c, err := range v.ChangesBack(ctx, typ, in[0], in[1]) {
			if err != nil {
				return err
			}
			back = append(back, c)
		}
		slices.Reverse(back)
		if err := same("changes", got, want, nil); err != nil {
			return err
		}
		if err := same("changes back", back, want, nil); err != nil {
			return err
		}
	}
	return nil
}

// differSearch builds searches as of the view from the primitives, as search.go says.
func differSearch(ctx context.Context, m *model, v *store.View, typ r4.Code) error {
	changed, err := v.ChangedSince(ctx, typ)
	if err != nil {
		return err
	}
	for param := uint16(1); param <= params; param++ {
		for i, value := range values {
			if (i+int(v.Tx()))%4 != 0 { // a part of them for each view
				continue
			}
			for _, in := range []store.Values{store.Equal(value), {From: value}, {To: value}, {Prefix: value}} {
				for _, back := range []bool{false, true} {
					if err := differHits(ctx, m, v, typ, param, in, back, changed); err != nil {
						return fmt.Errorf("parameter %d, values %q to %q, prefix %q, back %v: %w", param, in.From, in.To, in.Prefix, back, err)
					}
				}
			}
		}
	}
	for i, r := range m.byType[typ] {
		cur := r.asOf(1 << 62)
		if cur.Tx > v.Tx() {
			if !slices.Contains(changed, store.Ordinal(i)) && len(m.changes[typ]) > 0 && v.Tx() == m.tx {
				return fmt.Errorf("ordinal %d is missing in ChangedSince", i)
			}
			continue
		}
		if slices.Contains(changed, store.Ordinal(i)) {
			continue
		}
		entries, epoch, err := v.Forward(ctx, typ, store.Ordinal(i))
		if err := same("forward", entries, cur.entries, err); err != nil && len(entries)+len(cur.entries) > 0 {
			return err
		}
		if epoch != cur.epoch {
			return fmt.Errorf("epoch %d of ordinal %d, not %d", epoch, i, cur.epoch)
		}
	}
	return nil
}

func differHits(ctx context.Context, m *model, v *store.View, typ r4.Code, param uint16, in store.Values, back bool, changed []store.Ordinal) error {
	var got, want []store.Ordinal
	h := v.Hits(ctx, typ, param, in, back)
	var last []byte
	lastOrdinal := store.Ordinal(0)
	for first := true; h.Next(); first = false {
		c := slices.Compare(h.Value(), last)
		if c == 0 {
			c = int(h.Ordinal()) - int(lastOrdinal)
		}
		if back {
			c = -c
		}
		if !first && c <= 0 {
			return fmt.Errorf("out of order")
		}
		last, lastOrdinal = slices.Clone(h.Value()), h.Ordinal()
		if !slices.Contains(changed, h.Ordinal()) {
			got = append(got, h.Ordinal())
		}
	}
	if err := h.Close(); err != nil || h.Err() != nil {
		return fmt.Errorf("hits: %w %w", err, h.Err())
	}
	for _, o := range changed {
		if r := m.byType[typ]; int(o) < len(r) && matches(r[o].asOf(v.Tx()), param, in) {
			got = append(got, o)
		}
	}
	for i, r := range m.byType[typ] {
		if matches(r.asOf(v.Tx()), param, in) {
			want = append(want, store.Ordinal(i))
		}
	}
	slices.Sort(got)
	return same("hits", slices.Compact(got), want, nil)
}

func matches(v *version, param uint16, in store.Values) bool {
	if v == nil || v.Deleted {
		return false
	}
	for _, e := range v.entries {
		if e.Param == param && slices.Compare(e.Value, in.From) >= 0 && (in.To == nil || slices.Compare(e.Value, in.To) < 0) &&
			len(e.Value) >= len(in.Prefix) && slices.Equal(e.Value[:len(in.Prefix)], in.Prefix) {
			return true
		}
	}
	return false
}
