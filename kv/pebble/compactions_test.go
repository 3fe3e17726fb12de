package pebble_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	db "github.com/cockroachdb/pebble/v2"

	"tarn/kv/pebble"
)

// backlog is a database with compactions to do: each runs until its grant is given back.
type backlog struct {
	allowed atomic.Int64
	mu      sync.Mutex
	waiting int
	refused bool // Pebble remembers that something waits
	running []db.CompactionGrantHandle
	most    int
}

func (b *backlog) GetAllowedWithoutPermission() int { return int(b.allowed.Load()) }

func (b *backlog) GetWaitingCompaction() (bool, db.WaitingCompaction) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.refused = b.refused && b.waiting > 0
	return b.refused, db.WaitingCompaction{}
}

func (b *backlog) Schedule(h db.CompactionGrantHandle) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.waiting == 0 {
		return false
	}
	b.run(h)
	return true
}

func (b *backlog) run(h db.CompactionGrantHandle) {
	b.waiting--
	b.running = append(b.running, h)
	b.most = max(b.most, len(b.running))
}

// want is what Pebble does after each flush and each compaction.
func (b *backlog) want(s db.CompactionScheduler, more int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting += more
	for b.waiting > 0 && !b.refused {
		ok, h := s.TrySchedule()
		if !ok {
			b.refused = true
			return
		}
		b.run(h)
	}
}

func (b *backlog) end() bool {
	b.mu.Lock()
	if len(b.running) == 0 {
		b.mu.Unlock()
		return false
	}
	h := b.running[0]
	b.running = b.running[1:]
	b.mu.Unlock()
	h.Done()
	return true
}

func (b *backlog) counts() (waiting, running, most int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.waiting, len(b.running), b.most
}

func TestCompactions_restAndRunAll(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backlog{}
		b.allowed.Store(1)
		s, begin := pebble.NewCompactions()
		s.Register(1, b)
		b.want(s, 7)
		begin()
		time.Sleep(pebble.CompactionRest / 2)
		synctest.Wait()
		if waiting, running, _ := b.counts(); waiting != 7 || running != 0 {
			t.Fatalf("while the space rests %d wait and %d run", waiting, running)
		}
		time.Sleep(pebble.CompactionRest)
		synctest.Wait()
		if waiting, running, _ := b.counts(); waiting != 6 || running != 1 {
			t.Fatalf("after the rest %d wait and %d run", waiting, running)
		}
		b.allowed.Store(2)
		s.UpdateGetAllowedWithoutPermission()
		synctest.Wait()
		if waiting, running, _ := b.counts(); waiting != 5 || running != 2 {
			t.Fatalf("with two allowed %d wait and %d run", waiting, running)
		}
		for b.end() {
			b.want(s, 0)
		}
		if waiting, _, most := b.counts(); waiting != 0 || most > 3 {
			t.Errorf("%d were never run; %d ran at once", waiting, most)
		}
		s.Unregister()
		if ok, _ := s.TrySchedule(); ok {
			t.Error("a closed database may compact")
		}
	})
}

// TestCompactions_neverStall races ends, new work and changing limits: all work is done in the end.
func TestCompactions_neverStall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &backlog{}
		b.allowed.Store(1)
		s, begin := pebble.NewCompactions()
		s.Register(1, b)
		begin()
		time.Sleep(2 * pebble.CompactionRest)
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() {
				for range 500 {
					b.want(s, n%2)
					b.end()
					b.want(s, 0)
					b.allowed.Store(int64(1 + n%2))
					s.UpdateGetAllowedWithoutPermission()
				}
			})
		}
		wg.Wait()
		b.allowed.Store(1)
		for synctest.Wait(); b.end(); synctest.Wait() {
			b.want(s, 0)
		}
		if waiting, running, _ := b.counts(); waiting != 0 || running != 0 {
			t.Errorf("%d wait and %d run, and nothing will come", waiting, running)
		}
		s.Unregister()
	})
}
