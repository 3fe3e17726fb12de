package store_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"tarn/fault"
	"tarn/kv"
	"tarn/store"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestLayout_bytesOnDisk holds every byte that a small history leaves. If it fails, stores out there could not be read
// any more: change the format numbers and read both, or undo the change.
func TestLayout_bytesOnDisk(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	d, c := newDisk(), &clock{}
	defer d.stop()
	c.Store(1_700_000_000_000)
	space := d.space()
	s := open(space, c)
	commit := func(tr store.Transaction) {
		if _, err := s.Commit(ctx, tr); err != nil {
			t.Fatal(err)
		}
	}
	patient, basic := types[2], types[0]
	commit(store.Transaction{
		Writes: []store.Write{
			{Op: store.Create, Type: patient, ID: "a", Resource: document(patient, 1, 0), Epoch: 7, Entries: []store.Entry{
				{Param: 300, Value: []byte("b")}, {Param: 2, Value: []byte{'x', 0, 'y'}}, {Param: 2, Value: bytes.Repeat([]byte("l"), 300)}}},
			{Op: store.Put, Type: patient, ID: "b.2", Resource: document(patient, 2, 0)},
		},
		Riders: []store.Rider{{Key: []byte("job/1"), Value: []byte("seven")}, {Key: []byte("empty"), Value: []byte{}}},
	})
	c.Add(5)
	commit(store.Transaction{Writes: []store.Write{
		{Op: store.Put, Type: patient, ID: "a", Resource: document(patient, 3, 0), Epoch: 8, Entries: []store.Entry{{Param: 300, Value: []byte("c")}}},
		{Op: store.Put, Type: basic, ID: "apart", Resource: document(basic, 4, 65<<10)},
	}})
	c.Add(5)
	commit(store.Transaction{Writes: []store.Write{{Op: store.Delete, Type: patient, ID: "a"}, {Op: store.Delete, Type: patient, ID: "b.2"}}})
	c.Add(5)
	commit(store.Transaction{Writes: []store.Write{{Op: store.Put, Type: patient, ID: "a", Resource: document(patient, 5, 0)}}})
	if _, err := s.Fix(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got := dump(t, space)
	file := filepath.Join("testdata", "layout-1.txt")
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := same("layout", string(got), string(want), nil); err != nil {
		t.Error(err)
	}
}

// dump is all rows; long values are cut.
func dump(t *testing.T, space kv.Space) []byte {
	var out bytes.Buffer
	snap, err := space.Snapshot(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	it := snap.Scan(context.Background(), kv.Range{})
	for it.Next() {
		fmt.Fprintf(&out, "key, %d bytes\n%svalue, %d bytes\n%s\n", len(it.Key()), hex.Dump(it.Key()), len(it.Value()), hex.Dump(it.Value()[:min(len(it.Value()), 256)]))
	}
	if err := it.Err(); err != nil {
		t.Fatal(err)
	}
	if err := it.Close(); err != nil {
		t.Fatal(err)
	}
	if err := snap.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestOpen_refusesOtherLayouts opens a store of a later program.
func TestOpen_refusesOtherLayouts(t *testing.T) {
	t.Parallel()
	d := newDisk()
	defer d.stop()
	space := d.space()
	for _, bad := range []struct {
		head []byte
		kind fault.Kind
	}{
		{append([]byte{0, 2}, make([]byte, 17)...), fault.Unsupported},
		{[]byte{0, 1}, fault.Internal},
		{append([]byte{0, 1}, make([]byte, 18)...), fault.Internal},
		{append([]byte{0, 1}, make([]byte, 17+18)...), fault.Internal},
	} {
		err := space.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) {
			b := &kv.Batch{}
			b.Set([]byte("h"), bad.head)
			return b, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if s, err := store.Open(t.Context(), space, store.Options{}); !fault.Is(err, bad.kind) {
			t.Errorf("head %x: %v, %v", bad.head, s, err)
		}
	}
}
