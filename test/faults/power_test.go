package faults_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/fhir"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/store"
)

// clones takes what is left of the file system at every write of the engine, whenever that makes, links or renames a
// file, and at every put, as if the power had failed there: all that was synced, and some of what was not.
type clones struct {
	h   *house
	rng *rand.Rand

	mu     sync.Mutex
	taken  []*vfs.MemFS
	acked  []int // how many live writes had been acknowledged then
	writer int
	loads  int
}

func (h *house) clones(seed uint64) *clones {
	c := &clones{h: h, rng: rand.New(rand.NewPCG(seed, 1))}
	h.writes.Hook(func(w kvtest.Write) kvtest.Fault {
		if isLoad(w) {
			c.loads++
		}
		c.take()
		return kvtest.NoFault
	})
	h.puts.Hook(func(int, string) (error, error) { c.take(); return nil, nil })
	take := c.take
	h.disk.making.Store(&take) // in the middle of a load the engine makes files and links them
	return c
}

func (c *clones) take() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.acked = append(c.acked, c.writer)
	c.taken = append(c.taken, c.h.disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 25 * c.rng.IntN(4), RNG: c.rng}))
}

// write commits one resource and says that it was acknowledged.
func (c *clones) write(s *store.Store) error {
	p := fhir.NewParser(fhir.Limits{})
	c.mu.Lock()
	id := fmt.Sprintf("live-%d", c.writer)
	c.mu.Unlock()
	r, err := p.Parse(fmt.Appendf(nil, `{"resourceType":"Location","id":%q,"name":"x"}`, id))
	if err != nil {
		return err
	}
	if _, err := s.Commit(c.h.t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: r.Code(), ID: id, Resource: r}}}); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.writer++
	return nil
}

// holds demands of a house on a clone that every write that had been acknowledged is there.
func (h *house) holds(what string, acked int) {
	h.t.Helper()
	s, err := h.catalog.Store(h.t.Context(), h.data.ID)
	must(h.t, err)
	v, err := s.Latest(h.t.Context())
	must(h.t, err)
	defer v.Close()
	for n := range acked {
		if _, err := v.Read(h.t.Context(), codeOf("Location"), fmt.Sprintf("live-%d", n)); err != nil {
			h.t.Errorf("%s: Location/live-%d was acknowledged: %v", what, n, err)
		}
	}
}

// during runs the jobs while a client writes, or, where they are to be alone in the data store, when it has written.
func (c *clones) during(h *house, alone bool) {
	s, err := h.catalog.Store(h.t.Context(), h.data.ID)
	must(h.t, err)
	const writes = 15
	if alone {
		for range writes {
			must(h.t, c.write(s))
		}
		time.Sleep(2 * time.Second)
	}
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		for c.count() < writes {
			select {
			case <-stop:
				ended <- nil
				return
			default:
			}
			if err := c.write(s); err != nil {
				ended <- err
				return
			}
		}
		<-stop
		ended <- nil
	}()
	h.run()
	close(stop)
	must(h.t, <-ended)
	h.writes.Hook(nil)
	h.puts.Hook(nil)
	h.disk.making.Store(nil)
}

// count is how many writes were acknowledged.
func (c *clones) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writer
}

// TestPower_lossAtEveryWriteOfAnExport: the export goes on to the same bytes, wherever the power failed; what said
// COMPLETED stays whole; what was acknowledged is there.
func TestPower_lossAtEveryWriteOfAnExport(t *testing.T) {
	t.Parallel()
	onDisk(t)
	for seed := range uint64(2) {
		synctest.Test(t, func(t *testing.T) {
			h := build(t)
			h.fill()
			rec := h.startExport("one")
			c := h.clones(seed)
			c.during(h, false)
			want := h.exported(rec)
			h.whole("with power", rec, want)
			c.take() // it says COMPLETED
			unfinished := 0
			for n, fs := range c.taken {
				what := fmt.Sprintf("power lost at %d of %d, seed %d", n, len(c.taken), seed)
				next := h.again(fs)
				if next.describe(rec).State != job.Completed {
					if unfinished++; n == len(c.taken)-1 {
						t.Errorf("%s: the export was COMPLETED", what)
					}
				}
				next.run()
				next.whole(what, rec, want)
				next.holds(what, c.acked[n])
				next.close()
			}
			t.Logf("power lost at %d moments, in %d of them before the end", len(c.taken), unfinished)
		})
	}
}

// TestPower_lossAtEveryWriteOfAnImport is that for imports, of one beside a client and of one that loads sorted data: no
// line twice, none left out, the same logs.
func TestPower_lossAtEveryWriteOfAnImport(t *testing.T) {
	t.Parallel()
	onDisk(t)
	for seed := range uint64(2) {
		for _, lines := range []int{few, many} {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				h.patients = lines
				h.input("one")
				rec := h.startImport("one")
				c := h.clones(seed)
				c.during(h, lines == many)
				want := h.imported(rec, "one")
				if (c.loads > 0) != (lines == many) {
					t.Fatalf("an import of %d lines has loaded %d times", lines, c.loads)
				}
				c.take()
				unfinished := 0
				for n, fs := range c.taken {
					what := fmt.Sprintf("power lost at %d of %d, seed %d", n, len(c.taken), seed)
					next := h.again(fs)
					if !next.describe(rec).State.Terminal() {
						if unfinished++; n == len(c.taken)-1 {
							t.Errorf("%s: the import had ended", what)
						}
					}
					next.run()
					if got := next.imported(rec, "one"); got != want {
						t.Errorf("%s:\n%s\nwant\n%s", what, got, want)
					}
					next.holds(what, c.acked[n])
					next.close()
				}
				t.Logf("%d lines: power lost at %d moments, in %d of them before the end, %d loads", lines, len(c.taken), unfinished, c.loads)
			})
		}
	}
}

// TestPower_forgetsWithoutSync is the proof of the proof: the file system does forget.
func TestPower_forgetsWithoutSync(t *testing.T) {
	t.Parallel()
	d := newDisk(vfs.NewCrashableMem())
	must(t, d.MakeDirs("/a"))
	must(t, d.SyncDir("/"))
	f, err := d.Create("/a/b")
	must(t, err)
	_, err = f.Write([]byte("text"))
	must(t, err)
	must(t, f.Close())
	if _, err := newDisk(d.CrashClone(vfs.CrashCloneCfg{})).Open("/a/b"); err == nil {
		t.Error("a file that nobody synced has outlived the power failure")
	}
	must(t, d.SyncDir("/a"))
	left, err := newDisk(d.CrashClone(vfs.CrashCloneCfg{})).Open("/a/b")
	must(t, err)
	if n, _ := left.Read(make([]byte, 4)); n != 0 {
		t.Error("bytes that nobody synced have outlived the power failure")
	}
}
