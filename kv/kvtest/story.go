package kvtest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"tarn/kv"
)

// testStory runs random histories against an engine and against a plain sorted map: every answer must be the same. So
// every engine that passes tells the same story.
func testStory(t *testing.T, h Harness) {
	e := h.Open(t)
	closeAtEnd(t, e)
	var stories atomic.Int64
	rapid.Check(t, func(rt *rapid.T) {
		name := fmt.Sprint("story", stories.Add(1))
		s, err := e.Open(t.Context(), name)
		ok(rt, err)
		w := &world{t: t, space: s, now: map[string]string{}}
		defer func() {
			for _, v := range w.views {
				ok(rt, v.snap.Close())
			}
			ok(rt, e.Drop(t.Context(), name))
		}()
		rt.Repeat(map[string]func(*rapid.T){
			"update":   w.update,
			"load":     w.load,
			"snapshot": w.snapshot,
			"close":    w.close,
			"get":      w.get,
			"scan":     w.scan,
		})
	})
}

func ok(rt *rapid.T, err error) {
	if err != nil {
		rt.Fatal(err)
	}
}

// world is the engine's space beside what it should hold.
type world struct {
	t     *testing.T
	space kv.Space
	now   map[string]string
	views []view
}

// view is a snapshot beside what it should hold.
type view struct {
	snap kv.Snapshot
	want map[string]string
}

var (
	keyGen = rapid.Custom(func(rt *rapid.T) string {
		return string(rapid.SliceOfN(rapid.SampledFrom([]byte{0, 1, 'a', 'b', 0xff}), 1, 3).Draw(rt, "key"))
	})
	valueGen = rapid.Custom(func(rt *rapid.T) string {
		return string(bytes.Repeat([]byte{rapid.Byte().Draw(rt, "byte")}, rapid.SampledFrom([]int{0, 1, 50, 5000}).Draw(rt, "size")))
	})
	boundGen = rapid.OneOf(rapid.Just(""), keyGen)
)

// bound makes a bound of a range: nil for none.
func bound(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func (w *world) update(rt *rapid.T) {
	locks := rapid.SliceOfN(keyGen, 0, 3).Draw(rt, "locks")
	fails := rapid.IntRange(0, 9).Draw(rt, "fails") == 0
	next := maps.Clone(w.now)
	var b kv.Batch
	for range rapid.IntRange(0, 6).Draw(rt, "ops") {
		key := keyGen.Draw(rt, "key")
		switch rapid.IntRange(0, 4).Draw(rt, "op") {
		case 0:
			b.Delete([]byte(key))
			delete(next, key)
		case 1:
			end := boundGen.Draw(rt, "end")
			b.DeleteRange([]byte(key), bound(end))
			maps.DeleteFunc(next, func(k, _ string) bool { return k >= key && (end == "" || k < end) })
		default:
			value := valueGen.Draw(rt, "value")
			b.Set([]byte(key), []byte(value))
			next[key] = value
		}
	}
	own := errors.New("own")
	err := w.space.Update(w.t.Context(), lock(locks...), func(tx kv.Locked) (*kv.Batch, error) {
		for i, k := range locks {
			w.same(rt, k, tx.Values[i], w.now)
		}
		w.compare(rt, tx, w.now)
		if fails {
			return &b, own
		}
		return &b, nil
	})
	if fails != (err == own) || !fails && err != nil {
		rt.Fatalf("update: %v", err)
	}
	if !fails {
		w.now = next
	}
}

func (w *world) load(rt *rapid.T) {
	fresh := rapid.MapOfN(keyGen, valueGen, 0, 8).Draw(rt, "entries")
	var list []kv.Entry
	for _, k := range slices.Sorted(maps.Keys(fresh)) {
		list = append(list, kv.Entry{Key: []byte(k), Value: []byte(fresh[k])})
	}
	ok(rt, w.space.Load(w.t.Context(), entries(list...)))
	w.now = maps.Clone(w.now)
	maps.Copy(w.now, fresh)
}

func (w *world) snapshot(rt *rapid.T) {
	if len(w.views) == 2 {
		return // an engine need not bear many at a time
	}
	n, err := w.space.Snapshot(w.t.Context())
	ok(rt, err)
	w.views = append(w.views, view{n, w.now})
}

func (w *world) close(rt *rapid.T) {
	if len(w.views) > 0 {
		i := rapid.IntRange(0, len(w.views)-1).Draw(rt, "which")
		ok(rt, w.views[i].snap.Close())
		w.views = slices.Delete(w.views, i, i+1)
	}
}

func (w *world) get(rt *rapid.T) {
	for _, v := range w.views {
		w.compare(rt, v.snap, v.want)
	}
}

func (w *world) compare(rt *rapid.T, r kv.Reader, want map[string]string) {
	keys := rapid.SliceOfN(keyGen, 0, 5).Draw(rt, "keys")
	values, err := r.Get(w.t.Context(), lock(keys...)...)
	ok(rt, err)
	for i, k := range keys {
		w.same(rt, k, values[i], want)
	}
}

func (w *world) same(rt *rapid.T, key string, got []byte, want map[string]string) {
	if v, there := want[key]; there != (got != nil) || v != string(got) {
		rt.Fatalf("key %q: got %q (there: %v), want %q (there: %v)", key, got, got != nil, v, there)
	}
}

// scan walks a random range of every view with random seeks.
func (w *world) scan(rt *rapid.T) {
	rg := kv.Range{
		Start: bound(boundGen.Draw(rt, "start")), End: bound(boundGen.Draw(rt, "end")),
		Reverse: rapid.Bool().Draw(rt, "reverse"), KeysOnly: rapid.Bool().Draw(rt, "keysOnly"),
	}
	for _, v := range w.views {
		want := within(v.want, rg)
		it := v.snap.Scan(w.t.Context(), rg)
		at := -1
		for at < len(want) {
			var got bool
			if rapid.IntRange(0, 3).Draw(rt, "move") == 0 {
				key := keyGen.Draw(rt, "seek")
				at = max(at, seek(want, key, rg.Reverse))
				got = it.Seek([]byte(key))
			} else {
				at++
				got = it.Next()
			}
			switch {
			case got != (at < len(want)):
				rt.Fatalf("range %v: entry %d of %d: %v, %v", rg, at, len(want), got, it.Err())
			case got && string(it.Key()) != want[at]:
				rt.Fatalf("range %v: entry %d is %q, want %q", rg, at, it.Key(), want[at])
			case got && !rg.KeysOnly && string(it.Value()) != v.want[want[at]]:
				rt.Fatalf("range %v: value of %q is %q", rg, it.Key(), it.Value())
			}
		}
		ok(rt, errors.Join(it.Err(), it.Close()))
	}
}

// within lists the keys of a range in its direction.
func within(m map[string]string, rg kv.Range) []string {
	keys := slices.Sorted(maps.Keys(m))
	keys = slices.DeleteFunc(keys, func(k string) bool {
		return k < string(rg.Start) || rg.End != nil && k >= string(rg.End)
	})
	if rg.Reverse {
		slices.Reverse(keys)
	}
	return keys
}

// seek is the index of the first of keys at or after key in the direction.
func seek(keys []string, key string, reverse bool) int {
	for i, k := range keys {
		if !reverse && k >= key || reverse && k <= key {
			return i
		}
	}
	return len(keys)
}
