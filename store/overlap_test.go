package store_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"tarn/kv"
	"tarn/kv/pebble"
	"tarn/store"
)

// between is a space in which something happens before each write of those whose context says so: after they have read
// what they write.
type between struct{ kv.Space }

type betweenKey struct{}

func (b between) Update(ctx context.Context, lock [][]byte, fn func(tx kv.Locked) (*kv.Batch, error)) error {
	if happens, ok := ctx.Value(betweenKey{}).(func()); ok {
		happens()
	}
	return b.Space.Update(ctx, lock, fn)
}

// TestErase_bringsNothingBackThatAnotherHasErased erases many resources, one of which another erasure takes away for good
// meanwhile.
func TestErase_bringsNothingBackThatAnotherHasErased(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := open(between{w.space}, w.c)
	defer func() { must(t, s.Close()) }()
	var names []store.Name
	for i := range 100 {
		id := fmt.Sprintf("b%d", i)
		w.put(id, "SECRET", 70<<10*(i%2))
		names = append(names, store.Name{Type: types[2], ID: id})
	}
	times := 0
	ctx := context.WithValue(t.Context(), betweenKey{}, func() {
		i := []int{3, 80}[min(times, 1)]
		times++
		results, err := s.Erase(t.Context(), store.Erasure{Resources: names[i : i+1]})
		must(t, err)
		must(t, s.Purge(t.Context(), []store.Place{{Type: results[0].Type, Ordinal: results[0].Ordinal}}, results[0].Tx))
	})
	results, err := s.Erase(ctx, store.Erasure{Resources: names})
	must(t, err)
	if times < 2 || results[3].Change != store.None || results[80].Change != store.None || results[4].Change != store.Deleted {
		t.Fatalf("%d times: %+v, %+v", times, results[3], results[80])
	}
	for _, r := range results {
		if r.Change != store.None { // of the others nothing says that there is anything to purge
			must(t, s.Purge(t.Context(), []store.Place{{Type: r.Type, Ordinal: r.Ordinal}}, r.Tx))
		}
	}
	if row := w.holds("SECRET"); row != "" {
		t.Errorf("row %s still tells", row)
	}
}

// overlapping is a data store in which things happen within each other.
type overlapping struct {
	*world
	rt      *rapid.T
	names   []store.Name
	texts   int
	there   [][]string // of each resource the texts of its versions since it was erased last
	gone    []string
	pending []hidden
}

// hidden is what one erasure has hidden.
type hidden struct {
	places []store.Place
	tx     store.TxID
}

// inside is a context in which some steps may happen before each write.
func (o *overlapping) inside(depth int) context.Context {
	if depth == 0 {
		return o.t.Context()
	}
	left := rapid.IntRange(0, 4).Draw(o.rt, "happen inside")
	return context.WithValue(o.t.Context(), betweenKey{}, func() {
		for left > 0 && rapid.Bool().Draw(o.rt, "now") {
			left--
			o.step(depth - 1)
		}
	})
}

func (o *overlapping) write(i int) {
	o.texts++
	text := fmt.Sprintf("TEXT-%d-", o.texts)
	o.put(o.names[i].ID, text, 0)
	o.there[i] = append(o.there[i], text)
}

func (o *overlapping) erase(depth, from, to int) {
	results, err := o.s.Erase(o.inside(depth), store.Erasure{Resources: o.names[from:to]})
	must(o.t, err)
	var one hidden
	for i, r := range results {
		if r.Change != store.None {
			one.places, one.tx = append(one.places, store.Place{Type: r.Type, Ordinal: r.Ordinal}), r.Tx
		}
		o.gone = append(o.gone, o.there[from+i]...)
		o.there[from+i] = nil
	}
	if one.tx != 0 {
		o.pending = append(o.pending, one)
	}
}

func (o *overlapping) purge(depth int) {
	if len(o.pending) > 0 {
		one := o.pending[0]
		o.pending = o.pending[1:]
		must(o.t, o.s.Purge(o.inside(depth), one.places, one.tx))
	}
}

func (o *overlapping) step(depth int) {
	i := rapid.IntRange(0, len(o.names)-1).Draw(o.rt, "of")
	switch rapid.IntRange(0, 4).Draw(o.rt, "do") {
	case 0:
		o.write(i)
	case 1:
		o.erase(depth, i, i+1)
	case 2:
		o.erase(depth, 0, len(o.names))
	default:
		o.purge(depth)
	}
}

// TestErase_leavesNoByteWhateverOverlaps lets erasures, purges and writes happen between what erasures and purges read and
// what they write. When each erasure has been purged as it was told, the bytes of what was erased are nowhere.
func TestErase_leavesNoByteWhateverOverlaps(t *testing.T) {
	t.Parallel()
	inner, err := pebble.InMemory(pebble.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, inner.Close()) })
	rapid.Check(t, func(rt *rapid.T) {
		space, err := inner.Open(t.Context(), "ds-overlap")
		must(t, err)
		o := &overlapping{world: &world{t: t, space: space, c: &clock{}}, rt: rt}
		o.s = open(between{space}, o.c)
		defer func() {
			must(t, o.s.Close())
			must(t, inner.Drop(t.Context(), "ds-overlap"))
		}()
		const n = 66 // more than are erased without staging
		o.there = make([][]string, n)
		for i := range n {
			o.names = append(o.names, store.Name{Type: types[2], ID: fmt.Sprintf("m%d", i)})
			o.write(i)
		}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			o.step(2)
		}
		for len(o.pending) > 0 {
			o.purge(0)
		}
		rows := everything(t, space)
		for _, text := range o.gone {
			if bytes.Contains(rows, []byte(text)) {
				rt.Fatalf("a row still tells %s", text)
			}
		}
		for i := range o.there {
			for _, text := range o.there[i] {
				if !bytes.Contains(rows, []byte(text)) {
					rt.Fatalf("%s has gone, and was not erased", text)
				}
			}
		}
	})
}

// everything is the bytes of all rows.
func everything(t *testing.T, space kv.Space) (all []byte) {
	t.Helper()
	r, err := space.Snapshot(context.Background())
	must(t, err)
	defer func() { must(t, r.Close()) }()
	it := r.Scan(context.Background(), kv.Range{})
	defer func() { must(t, it.Close()) }()
	for it.Next() {
		all = append(append(all, it.Key()...), it.Value()...)
	}
	must(t, it.Err())
	return all
}
