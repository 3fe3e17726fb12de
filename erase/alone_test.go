package erase_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/fault"
	"tarn/fhir/index"
	"tarn/kv"
	"tarn/store"
)

// several are data stores by their ids.
type several map[string]*store.Store

func (s several) Store(_ context.Context, id string) (*store.Store, error) {
	if st := s[id]; st != nil {
		return st, nil
	}
	return nil, fault.Errorf(fault.NotFound, "test", "there is none")
}

// watched is a space in which somebody holds a snapshot for ever.
type watched struct{ kv.Space }

func (w watched) Compact(ctx context.Context, _ ...kv.Range) error {
	<-ctx.Done()
	return ctx.Err()
}

// TestRun_keepsNoDataStoreWaitingForAnother erases in some data stores in which snapshots are held, and then in another one.
func TestRun_keepsNoDataStoreWaitingForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		ours, all := w.data, several{datastore: w.data}
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		for i := range 12 {
			id := fmt.Sprintf("f%031d", i)
			space, err := w.faults.Open(t.Context(), "ds-"+id)
			must(t, err)
			other, err := store.Open(t.Context(), watched{space}, store.Options{Epoch: index.Epoch})
			must(t, err)
			defer func() { must(t, other.Close()) }()
			all[id], w.data = other, other
			w.put(`{"resourceType":"Patient","id":"p1"}`)
		}
		w.data, w.o.Datastores = ours, all
		w.svc = erase.New(w.o)
		defer w.run(t.Context())()
		stuck := map[string]string{}
		for held := range all {
			if held == datastore {
				continue
			}
			there := request(false)
			there.Datastore = held
			id, _, err := w.svc.Start(t.Context(), there)
			must(t, err)
			stuck[held] = id
		}
		time.Sleep(time.Minute) // they wait for the snapshots by now
		id, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		time.Sleep(time.Minute)
		if p, err := w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Done {
			t.Errorf("%+v, %v", p, err)
		}
		for held, id := range stuck {
			if p, err := w.svc.Status(t.Context(), held, id); err != nil || p.State != erase.Hidden {
				t.Errorf("where a snapshot is held: %+v, %v", p, err)
			}
		}
	})
}

// stubborn is an export that takes its time to end though it was given up, as one whose bucket does not answer.
type stubborn struct {
	*world
	asked int
}

func (s *stubborn) Abandon(context.Context, string, string, string) error {
	s.asked++
	return nil
}

// logged is a log that is written by several.
type logged struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

// TestPurge_insistsWithGrowingPauses waits for a day beyond the time when an export is given up that does not end.
func TestPurge_insistsWithGrowingPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		head, err := w.data.Head(t.Context())
		must(t, err)
		w.pins["export-1"] = head.Tx
		exports := &stubborn{world: w}
		log := &logged{}
		w.o.Exports, w.o.Log, w.o.Wait = exports, slog.New(slog.NewTextHandler(log, nil)), time.Hour
		w.svc = erase.New(w.o)
		id, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		stop := w.run(t.Context())
		time.Sleep(25 * time.Hour)
		if lines := strings.Count(log.String(), "held up an erasure"); lines == 0 || lines > 15 || exports.asked != lines {
			t.Errorf("it was asked %d times to end, and the log has %d lines of it", exports.asked, lines)
		}
		w.mu.Lock()
		delete(w.pins, "export-1")
		w.mu.Unlock()
		time.Sleep(time.Minute)
		if p, err := w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Done {
			t.Errorf("%+v, %v", p, err)
		}
		stop()
	})
}

// TestRun_saysOnceWhatFailsAgainAndAgain lets each attempt to purge fail for an hour.
func TestRun_saysOnceWhatFailsAgainAndAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.put(`{"resourceType":"Patient","id":"p1"}`)
		log := &logged{}
		broken := &failing{world: w}
		broken.fails.Store(true)
		w.o.Exports, w.o.Log = broken, slog.New(slog.NewTextHandler(log, nil))
		w.svc = erase.New(w.o)
		id, _, err := w.svc.Start(t.Context(), request(false))
		must(t, err)
		defer w.run(t.Context())()
		time.Sleep(time.Hour)
		if lines := strings.Count(log.String(), "could not be purged"); lines == 0 || lines > 10 {
			t.Errorf("the log has %d lines of it", lines)
		}
		broken.fails.Store(false)
		time.Sleep(time.Minute)
		if p, err := w.svc.Status(t.Context(), datastore, id); err != nil || p.State != erase.Done {
			t.Errorf("%+v, %v", p, err)
		}
	})
}

// failing are exports that cannot be looked at for a while.
type failing struct {
	*world
	fails atomic.Bool
}

func (f *failing) Pinned(ctx context.Context, datastore string, yield func(string, store.TxID)) error {
	if f.fails.Load() {
		return fault.Errorf(fault.Unavailable, "test", "the jobs cannot be read now")
	}
	return f.world.Pinned(ctx, datastore, yield)
}
