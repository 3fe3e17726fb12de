package pebble_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tarn/kv"
	"tarn/kv/pebble"
)

// noise is text that no compression makes shorter than half, so that it stands in a file as it is.
func noise(seed uint64, n int) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	text := make([]byte, n)
	for i := range text {
		text[i] = byte(rng.IntN(256))
	}
	return text
}

// found lists the files below dir that hold one of the texts.
func found(t *testing.T, dir string, texts ...[]byte) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		for _, text := range texts {
			if bytes.Contains(body, text) {
				names = append(names, filepath.Base(path))
				break
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func update(t *testing.T, s kv.Space, fill func(b *kv.Batch)) {
	t.Helper()
	if err := s.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) {
		b := &kv.Batch{}
		fill(b)
		return b, nil
	}); err != nil {
		t.Fatal(err)
	}
}

// surround writes n rows around the secret ones.
func surround(t *testing.T, s kv.Space, round uint64, n int) {
	t.Helper()
	for from := 0; from < n; from += 500 {
		update(t, s, func(b *kv.Batch) {
			for i := from; i < min(from+500, n); i++ {
				b.Set(fmt.Appendf(nil, "k%07d", i), noise(round<<32+uint64(i), 200))
			}
		})
	}
}

// TestCompact_leavesNoByteInAnyFile deletes and replaces rows that have gone every way to the disk, and reads all files.
// A snapshot from before keeps what it needs; when it is closed the compaction goes on.
func TestCompact_leavesNoByteInAnyFile(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"log", "tables", "load", "snapshot"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			e := open(t, dir, pebble.Options{})
			defer e.Close()
			s := space(t, e, "s")
			value, replaced, key := noise(1, 64), noise(2, 64), append([]byte("k0002500"), noise(3, 48)...)
			first, last := append([]byte("a"), noise(4, 48)...), append([]byte("z"), noise(5, 48)...) // bounds of tables
			secrets := [][]byte{value, replaced, key[8:], first[1:], last[1:]}
			put := func(b *kv.Batch) {
				b.Set([]byte("k0000001x"), replaced)
				b.Set(key, value)
				b.Set(first, []byte("x"))
				b.Set(last, []byte("x"))
			}
			switch way {
			case "load":
				if err := s.Load(t.Context(), func(yield func(kv.Entry, error) bool) {
					_ = yield(kv.Entry{Key: first}, nil)
					for i := range 20_000 {
						k := fmt.Appendf(nil, "k%07d", i)
						_ = yield(kv.Entry{Key: k, Value: noise(9<<32+uint64(i), 200)}, nil)
						switch i {
						case 1:
							_ = yield(kv.Entry{Key: []byte("k0000001x"), Value: replaced}, nil)
						case 2500:
							_ = yield(kv.Entry{Key: key, Value: value}, nil)
						}
					}
					_ = yield(kv.Entry{Key: last}, nil)
				}); err != nil {
					t.Fatal(err)
				}
			case "log":
				surround(t, s, 1, 1000)
				update(t, s, put)
			default:
				update(t, s, put)
				surround(t, s, 1, 20_000)
				if err := s.Compact(t.Context(), kv.Range{}); err != nil { // to the last level
					t.Fatal(err)
				}
				surround(t, s, 2, 20_000)
			}
			var old kv.Snapshot
			if way == "snapshot" {
				var err error
				if old, err = s.Snapshot(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			update(t, s, func(b *kv.Batch) {
				b.Set([]byte("k0000001x"), []byte("harmless"))
				b.Delete(key)
				b.DeleteRange([]byte("a"), []byte("b"))
				b.Delete(last)
			})
			if len(found(t, dir, secrets...)) == 0 {
				t.Fatal("nothing is to be found before: the test would prove nothing")
			}
			ranges := []kv.Range{{Start: []byte("a"), End: []byte("b")}, {Start: []byte("k0000001"), End: []byte("k0000002")},
				{Start: key, End: append(bytes.Clone(key), 0)}, {Start: []byte("z")}}
			done := make(chan error, 1)
			go func() { done <- s.Compact(t.Context(), ranges...) }()
			if old != nil { // it waits
				surround(t, s, 3, 20_000) // so that others compact what the snapshot still needs
				got, err := old.Get(t.Context(), key, []byte("k0000001x"))
				if err != nil || !bytes.Equal(got[0], value) || !bytes.Equal(got[1], replaced) {
					t.Errorf("the snapshot reads %q, %v", got, err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				if err := s.Compact(ctx, ranges...); err == nil {
					t.Error("another one did not wait for the snapshot")
				}
				cancel()
				if err := old.Close(); err != nil {
					t.Fatal(err)
				}
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			if names := found(t, dir, secrets...); len(names) > 0 {
				t.Errorf("it is still in %q", names)
			}
			if !has(t, s, "k0000000") || !has(t, s, "k0000001x") || has(t, s, string(key)) || has(t, s, string(last)) {
				t.Error("the rows are not what they must be")
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			e = open(t, dir, pebble.Options{})
			defer e.Close()
			s = space(t, e, "s")
			if !has(t, s, "k0000000") || !has(t, s, "k0000001x") || has(t, s, string(key)) {
				t.Error("after a restart the rows are not what they must be")
			}
		})
	}
}

// TestCompact_besideWrites compacts while others write, read and drop.
func TestCompact_besideWrites(t *testing.T) {
	t.Parallel()
	e := open(t, t.TempDir(), pebble.Options{})
	defer e.Close()
	s := space(t, e, "s")
	stop := make(chan struct{})
	var writers sync.WaitGroup
	for w := range 2 {
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key := fmt.Sprintf("k%d-%d", w, i%1000)
				if err := set(t, s, key); err != nil {
					t.Error(err)
					return
				}
				if !has(t, s, key) {
					t.Errorf("%s is lost", key)
				}
			}
		})
	}
	for range 3 {
		if err := s.Compact(t.Context(), kv.Range{Start: []byte("k")}); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	writers.Wait()
	if err := e.Drop(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if err := s.Compact(t.Context(), kv.Range{}); err == nil {
		t.Error("a space that is dropped was compacted")
	}
}
