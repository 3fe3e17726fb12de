package pebble

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"tarn/fault"
	"tarn/kv"
)

// space is one open database. Whoever works in it enters and leaves it; when it is shut, by a drop or by the engine's
// Close, nobody enters any more, and the last one to leave closes the files.
type space struct {
	engine *Engine
	name   string
	dir    string
	fs     *spaceFS
	db     *pebble.DB
	opts   *pebble.Options
	locks  kv.Locks
	wreck  *wreck
	loads  atomic.Int64 // numbers the folders of loads

	traffic *traffic
	looked  atomic.Int64 // when the state of level 0 was last looked at, by traffic's clock
	behind  atomic.Bool  // compactions have fallen behind

	commits    sync.RWMutex  // read-held while a commit is under way
	compacting chan struct{} // holds one: a Compact that is under way

	mu      sync.Mutex
	idle    sync.Cond // signalled when writers is 0
	inside  int       // callers, snapshots and iterators that need the database
	writers int       // those of them that are updates and loads
	closing bool      // no new entries
	shut    bool      // everybody inside gets fault.Gone
	gone    chan struct{}
	isGone  atomic.Bool // shut, for the hot paths
	tomb    string      // what to remove after the files are closed, or empty

	generation uint64         // of the snapshots that are made now; each Compact begins another
	held       map[uint64]int // open snapshots, by generation
}

var _ kv.Space = (*space)(nil)

func openSpace(e *Engine, name string) (*space, error) {
	s := &space{engine: e, name: name, dir: e.spaceDir(name), wreck: &wreck{}, traffic: newTraffic(), gone: make(chan struct{}), compacting: make(chan struct{}, 1)}
	s.idle.L = &s.mu
	if err := makeDir(e.fs, s.dir); err != nil {
		return nil, err
	}
	s.fs = newSpaceFS(e.fs, s.dir, s.wreck, s.mayPause)
	compactions := newCompactions()
	s.opts = dbOptions(s.fs, e.cache, e.files, s.wreck, compactions)
	db, err := pebble.Open(s.dir, s.opts)
	if err != nil {
		return nil, err
	}
	s.db = db
	if err := errors.Join(s.sweepLoads(), s.wreck.check("pebble.Open")); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	compactions.begin()
	return s, nil
}

// mayPause reports whether compactions are to give way to live traffic. It looks at what waits for them now and then.
func (s *space) mayPause() bool {
	if !s.traffic.isLive() {
		return false
	}
	now, last := int64(time.Since(s.traffic.begin)), s.looked.Load()
	if now-last > int64(lookAtLevels) && s.looked.CompareAndSwap(last, now) {
		s.behind.Store(s.db.Metrics().Levels[0].Sublevels > paceBehind)
	}
	return !s.behind.Load()
}

// enter counts the caller in, or refuses it.
func (s *space) enter(op string, writer bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.shut {
		return errDropped(op)
	}
	if err := s.wreck.check(op); err != nil {
		return err
	}
	s.inside++
	if writer {
		s.writers++
	}
	return nil
}

// again counts one more for somebody who is inside already.
func (s *space) again(op string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return errDropped(op)
	}
	s.inside++
	return nil
}

// leave counts the caller out; the last one to leave a shut space closes its files.
func (s *space) leave(writer bool) error {
	s.mu.Lock()
	s.inside--
	if writer {
		if s.writers--; s.writers == 0 {
			s.idle.Broadcast()
		}
	}
	last := s.shut && s.inside == 0
	s.mu.Unlock()
	if last {
		return s.finish()
	}
	return nil
}

// finish closes the files of a shut space that nobody is in, and removes them after a drop.
func (s *space) finish() error {
	err := s.db.Close()
	if s.tomb != "" {
		// The database that closed is dropped; only its removal matters, and the next start repeats it.
		_ = s.engine.fs.RemoveAll(s.tomb)
		return nil
	}
	return err
}

// end shuts the space: everybody inside gets fault.Gone from here on. It reports whether nobody is.
func (s *space) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing, s.shut = true, true
	s.isGone.Store(true)
	close(s.gone)
	return s.inside == 0
}

// drop takes the space's name away durably. The caller forgets the space after it.
func (s *space) drop() error {
	s.commits.Lock() // after this nothing commits: whoever is about to sees the space shut
	tomb, err := s.engine.bury(s.dir, s.name, s.fs.move)
	if err != nil {
		s.commits.Unlock()
		return err
	}
	s.tomb = tomb
	empty := s.end()
	s.commits.Unlock()
	if empty {
		return s.finish()
	}
	return nil
}

// close waits for running updates and loads and closes the files.
func (s *space) close() error {
	s.mu.Lock()
	s.closing = true
	for s.writers > 0 {
		s.idle.Wait()
	}
	s.mu.Unlock()
	if s.end() {
		return s.finish()
	}
	return fault.Errorf(fault.Conflict, "pebble.Close", "a snapshot or an iterator of space %q is still open", s.name)
}

// Snapshot implements kv.Space.
func (s *space) Snapshot(ctx context.Context) (kv.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := s.enter("pebble.Snapshot", false); err != nil {
		return nil, err
	}
	return s.snapshot(), nil
}

// Size implements kv.Space.
func (s *space) Size(ctx context.Context) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := s.enter("pebble.Size", false); err != nil {
		return 0, err
	}
	n := s.db.Metrics().DiskSpaceUsage()
	return int64(n), translate("pebble.Size", s.leave(false))
}
