package erase

import (
	"context"
	"sync"
	"time"

	"tarn/store"
)

// How often the keeper looks by itself: while something waits to be purged, and otherwise.
const (
	lookSoon = 5 * time.Second
	lookIdle = 10 * time.Minute
)

// mostPurges is in how many data stores is purged at a time. Many of these wait for a snapshot that somebody holds, or for
// their turn with the engine, which writes the files of few spaces anew at a time (kv/pebble, kv/postgres), and cost nothing.
const mostPurges = 64

// wake tells the keeper that something may be left to purge in a data store.
func (s *Service) wake(datastore string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known(datastore)
	to := s.kick
	if tended := s.tended[datastore]; tended != nil {
		to = tended
	}
	select {
	case to <- struct{}{}:
	default:
	}
}

// known notes a data store in which there are erasures; mu is held.
func (s *Service) known(datastore string) {
	s.open[datastore] = true
	if _, ok := s.forgot[datastore]; !ok {
		s.forgot[datastore] = time.Time{}
	}
}

// untended are the data stores in which something may be left to purge and nobody sees to it; whoever asks does, and is
// woken by the channels.
func (s *Service) untended() map[string]chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := map[string]chan struct{}{}
	for id := range s.open {
		if s.tended[id] == nil {
			s.tended[id] = make(chan struct{}, 1)
			found[id] = s.tended[id]
		}
	}
	return found
}

// Run purges what has been hidden, as soon as no job needs it any more, and removes history that is not kept, old records and
// uploads that nobody takes, until ctx ends.
// What was left by a process that died is found in the data stores. Each data store goes on by itself: one in which somebody
// holds a snapshot keeps none of the others waiting.
func (s *Service) Run(ctx context.Context) {
	var beside sync.WaitGroup
	defer beside.Wait()
	beside.Go(func() { s.sweepAlways(ctx) })
	if s.o.Keep.limits() {
		beside.Go(func() { s.trimAlways(ctx) })
	}
	slots := make(chan struct{}, mostPurges)
	recalled, looked := false, map[string]bool{}
	for ctx.Err() == nil {
		pause := lookIdle
		if recalled = recalled || s.recall(ctx, looked); !recalled {
			pause = lookSoon
		}
		for id, woken := range s.untended() {
			beside.Go(func() { s.tend(ctx, id, woken, slots) })
		}
		s.forgetAll(ctx)
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-s.kick:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// tend purges in one data store until nothing is left, or ctx ends.
func (s *Service) tend(ctx context.Context, datastore string, woken <-chan struct{}, slots chan struct{}) {
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			s.leave(datastore, true)
			return
		}
		changed := s.o.Ledger.Changed()
		s.mu.Lock()
		delete(s.open, datastore) // before the look: what is hidden from now on opens it again
		s.mu.Unlock()
		more, err := s.Purge(ctx, datastore)
		<-slots
		if err != nil && ctx.Err() == nil && s.news.isNew("purge "+datastore, err.Error()) {
			s.o.Log.Error("what was erased could not be purged yet; it is tried again", "datastore", datastore, "error", err)
		}
		if err == nil {
			s.news.over("purge " + datastore)
		}
		if !more && err == nil && s.leave(datastore, false) {
			return
		}
		timer := time.NewTimer(lookSoon)
		select {
		case <-ctx.Done():
		case <-woken:
		case <-changed:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// leave ends the work on a data store, unless something has come meanwhile that may be left to purge.
func (s *Service) leave(datastore string, always bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[datastore] && !always {
		return false
	}
	delete(s.tended, datastore)
	return true
}

// recall finds the data stores in which there were erasures of late, or something is still to purge, by what lies in them: the
// ledger may have forgotten their jobs. It looks in each once, and tells whether it has looked in all.
func (s *Service) recall(ctx context.Context, looked map[string]bool) bool {
	return s.eachDatastore(ctx, "recall", "it could not be found out whether something is still to purge; it is tried again", func(id string, st *store.Store) error {
		if looked[id] {
			return nil
		}
		_, there, err := st.NextRider(ctx, []byte(riders), nil)
		if err != nil {
			return err
		}
		if looked[id] = true; there {
			s.mu.Lock()
			s.known(id)
			s.mu.Unlock()
		}
		return nil
	})
}
