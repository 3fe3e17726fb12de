package pebble_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"tarn/fault"
	"tarn/kv"
	"tarn/kv/pebble"
)

func space(t *testing.T, e kv.Engine, name string) kv.Space {
	t.Helper()
	s, err := e.Open(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func set(t *testing.T, s kv.Space, key string) error {
	return s.Update(t.Context(), [][]byte{[]byte(key)}, func(kv.Locked) (*kv.Batch, error) {
		var b kv.Batch
		b.Set([]byte(key), []byte(key))
		return &b, nil
	})
}

func has(t *testing.T, s kv.Space, key string) bool {
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
	return values[0] != nil
}

func wantKind(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s: got %v, want an error of the kind %q", what, err, kind)
	}
}

func TestOpen_oneAtATime(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "store")
	e := open(t, dir, pebble.Options{})
	_, err := pebble.Open(dir, pebble.Options{})
	wantKind(t, "a second engine", err, fault.Conflict)
	if fault.Hint(err) == "" {
		t.Error("it gives no advice")
	}
	space(t, e, "s")
	for _, d := range []string{dir, filepath.Join(dir, "s")} {
		info, err := os.Stat(d)
		if err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: mode %v, %v", d, info.Mode(), err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, dir, pebble.Options{})
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpen_removesLeftovers leaves behind what a crash within a drop and within a load leaves.
func TestOpen_removesLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	e := open(t, dir, pebble.Options{})
	if err := set(t, space(t, e, "s"), "k"); err != nil {
		t.Fatal(err)
	}
	held, err := space(t, e, "held").Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Drop(t.Context(), "held"); err != nil {
		t.Fatal(err)
	}
	if found, _ := filepath.Glob(filepath.Join(dir, ".dropped-held-*")); len(found) != 1 {
		t.Errorf("while a snapshot is open, its files are %q", found)
	}
	_ = held.Close()
	_ = e.Close()
	leftovers := []string{".dropped-old-0", filepath.Join("s", "load-7")}
	for _, name := range leftovers {
		if err := os.MkdirAll(filepath.Join(dir, name, "x"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	e = open(t, dir, pebble.Options{})
	if !has(t, space(t, e, "s"), "k") {
		t.Error("the value is lost")
	}
	for _, name := range append(leftovers, ".dropped-held-0") {
		if _, err := os.Stat(filepath.Join(dir, name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOpen_movedDirectory moves the directory of an engine, as who restores a backup elsewhere does, with writes that are
// in the log only.
func TestOpen_movedDirectory(t *testing.T) {
	t.Parallel()
	from, to := filepath.Join(t.TempDir(), "from"), filepath.Join(t.TempDir(), "to")
	e := open(t, from, pebble.Options{})
	if err := set(t, space(t, e, "s"), "k"); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
	e = open(t, to, pebble.Options{})
	if !has(t, space(t, e, "s"), "k") {
		t.Error("the value is lost")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestUpdate_survivesAFailingDisk lets each kind of write to the disk fail in turn: the process lives, nobody is told
// that a lost write was done, and after opening again every confirmed write is there.
func TestUpdate_survivesAFailingDisk(t *testing.T) {
	t.Parallel()
	kinds := []errorfs.OpKind{errorfs.OpFileWrite, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpCreate, errorfs.OpRename}
	for _, kind := range kinds {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			t.Parallel()
			mem := vfs.NewCrashableMem()
			var broken atomic.Bool
			fs := errorfs.Wrap(mem, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if broken.Load() && op.Kind == kind {
					return errors.New("injected: the disk is broken")
				}
				return nil
			}))
			e := open(t, "store", pebble.Options{FS: fs})
			s := space(t, e, "s")
			var confirmed []string
			value := []byte(strings.Repeat("x", 200_000))
			for i := range 200 { // 40 MB: the log turns over, tables are flushed
				if i == 50 {
					broken.Store(true)
				}
				key := fmt.Sprint(i)
				err := s.Update(t.Context(), nil, func(kv.Locked) (*kv.Batch, error) {
					var b kv.Batch
					b.Set([]byte(key), value)
					return &b, nil
				})
				if err != nil {
					wantKind(t, "update", err, fault.Unavailable)
					break
				}
				confirmed = append(confirmed, key)
			}
			after := open(t, "store", pebble.Options{FS: mem.CrashClone(vfs.CrashCloneCfg{})})
			defer func() { _ = after.Close() }()
			again := space(t, after, "s")
			for _, key := range confirmed {
				if !has(t, again, key) {
					t.Fatalf("write %s was confirmed and is lost", key)
				}
			}
			if len(confirmed) < 50 {
				t.Errorf("only %d writes were confirmed", len(confirmed))
			}
		})
	}
}

// fullFS is a disk with little room.
type fullFS struct {
	vfs.FS
	avail *atomic.Uint64
}

func (f fullFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: f.avail.Load()}, nil
}

func TestUpdate_stopsBeforeTheDiskIsFull(t *testing.T) {
	t.Parallel()
	var avail atomic.Uint64
	avail.Store(10 << 20)
	e := open(t, "store", pebble.Options{FS: fullFS{vfs.NewMem(), &avail}})
	defer func() { _ = e.Close() }()
	s := space(t, e, "s")
	err := set(t, s, "a")
	wantKind(t, "a write to a nearly full disk", err, fault.Unavailable)
	if fault.Hint(err) == "" {
		t.Error("it gives no advice")
	}
	if !errors.Is(err, kv.ErrUntouched) {
		t.Error("it does not say that nothing was written")
	}
	avail.Store(100 << 20)
	if err := set(t, s, "a"); err != nil {
		t.Errorf("there is room again: %v", err)
	}
}

func TestClose_saysWhatIsStillOpen(t *testing.T) {
	t.Parallel()
	e, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := space(t, e, "s")
	n, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	wantKind(t, "close", e.Close(), fault.Conflict)
	_, err = n.Get(t.Context(), []byte("a"))
	wantKind(t, "get", err, fault.Gone)
	if err := n.Close(); err != nil {
		t.Errorf("the last one closes the files: %v", err)
	}
}
