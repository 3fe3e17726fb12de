package pebble

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"tarn/fault"
	"tarn/kv"
)

// compactLook is how often a Compact looks whether what it waits for has come.
const compactLook = 10 * time.Millisecond

// Compact implements kv.Space. A deletion is a mark that hides older bytes; they are in tables, in the log and, as the
// first and last keys of tables, in the list of tables (MANIFEST). Each is rewritten.
func (s *space) Compact(ctx context.Context, ranges ...kv.Range) (err error) {
	const op = "pebble.Compact"
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.enter(op, true); err != nil {
		return err
	}
	defer func() {
		if lerr := s.leave(true); err == nil {
			err = translate(op, lerr)
		}
	}()
	select {
	case s.compacting <- struct{}{}:
		defer func() { <-s.compacting }()
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gone:
		return errDropped(op)
	}
	spans := spansOf(ranges)
	for _, step := range []func(context.Context) error{
		s.outlive,
		func(ctx context.Context) error { return s.renew(ctx, spans) },
		s.discardTables,
	} {
		if err := step(ctx); err != nil {
			return translate(op, err)
		}
	}
	return s.wreck.check(op)
}

// span is a range of keys with both bounds.
type span struct{ start, end []byte }

func spansOf(ranges []kv.Range) []span {
	var spans []span
	for _, r := range ranges {
		sp := span{r.Start, r.End}
		if len(sp.start) == 0 {
			sp.start = []byte{0}
		}
		if sp.end == nil {
			sp.end = afterAll
		}
		if slices.Compare(sp.start, sp.end) < 0 {
			spans = append(spans, sp)
		}
	}
	return spans
}

// await looks for what is done by somebody else until it is there.
func (s *space) await(ctx context.Context, isThere func() (bool, error)) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.gone:
			return errDropped("pebble.Compact")
		case <-timer.C:
		}
		if ok, err := isThere(); ok || err != nil {
			return err
		}
		timer.Reset(compactLook)
	}
}

// hold counts a snapshot that is about to be made among those of the present generation.
func (s *space) hold() (generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil {
		s.held = map[uint64]int{}
	}
	s.held[s.generation]++
	return s.generation
}

// letGo counts it out.
func (s *space) letGo(generation uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[generation]--; s.held[generation] == 0 {
		delete(s.held, generation)
	}
}

// outlive waits until the snapshots are closed that have been made so far.
func (s *space) outlive(ctx context.Context) error {
	s.mu.Lock()
	last := s.generation
	s.generation++
	s.mu.Unlock()
	return s.await(ctx, func() (bool, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for generation := range s.held {
			if generation <= last {
				return false, nil
			}
		}
		return true, nil
	})
}

// mostRenewals is in how many spaces of an engine files are written anew at a time: that takes the processors and the disk,
// as the waits before and behind it do not.
const mostRenewals = 2

// renew writes tables, logs and the list of tables anew, when it is the space's turn.
func (s *space) renew(ctx context.Context, spans []span) error {
	select {
	case s.engine.renewing <- struct{}{}:
		defer func() { <-s.engine.renewing }()
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gone:
		return errDropped("pebble.Compact")
	}
	if err := s.rewrite(ctx, spans); err != nil {
		return err
	}
	if err := s.freshLogs(ctx); err != nil {
		return err
	}
	return s.freshManifest(ctx)
}

// mostPasses bounds how often a span is compacted until every table of it has been written anew.
const mostPasses = 8

// rewrite compacts spans down to the last level until none of their tables is one that was there before. A compaction takes
// in a table of the last level only where something above overlaps it; a range key that deletes range keys, of which there
// are none, does so and shows to nobody. And it moves a table that overlaps nothing as it is: then it takes another pass.
func (s *space) rewrite(ctx context.Context, spans []span) error {
	for pass := 0; len(spans) > 0; pass++ {
		if pass == mostPasses {
			return fault.Errorf(fault.Unavailable, "pebble.Compact", "the tables have not been written anew")
		}
		if err := s.db.Flush(); err != nil {
			return err
		}
		newest, err := s.newestTable() // others may compact the marks as soon as they are there
		if err != nil {
			return err
		}
		if err := s.mark(spans); err != nil {
			return err
		}
		var left []span
		for _, sp := range spans {
			if s.isGone.Load() {
				return errDropped("pebble.Compact")
			}
			if err := s.db.Compact(ctx, sp.start, sp.end, true); err != nil {
				return err
			}
			levels, err := s.db.SSTables(pebble.WithKeyRangeFilter(sp.start, sp.end), pebble.WithProperties())
			if err != nil {
				return err
			}
			if slices.ContainsFunc(levels, func(level []pebble.SSTableInfo) bool {
				return slices.ContainsFunc(level, func(t pebble.SSTableInfo) bool {
					return uint64(t.FileNum) <= newest || t.Properties != nil && t.Properties.NumRangeKeyDels > 0
				})
			}) {
				left = append(left, sp)
			}
		}
		spans = left
	}
	return nil
}

// newestTable is the highest number of a table.
func (s *space) newestTable() (newest uint64, err error) {
	levels, err := s.db.SSTables()
	for _, level := range levels {
		for _, t := range level {
			newest = max(newest, uint64(t.FileNum))
		}
	}
	return newest, err
}

func (s *space) mark(spans []span) error {
	s.commits.RLock()
	defer s.commits.RUnlock()
	if s.isGone.Load() {
		return errDropped("pebble.Compact")
	}
	b := s.db.NewBatch()
	defer func() { _ = b.Close() }()
	for _, sp := range spans {
		if err := b.RangeKeyDelete(sp.start, sp.end, nil); err != nil {
			return err
		}
	}
	return b.Commit(pebble.Sync)
}

// freshLogs has every file of the log replaced that is there now, also those that wait to be written over.
func (s *space) freshLogs(ctx context.Context) error {
	dir := s.fs.PathJoin(s.dir, logDir)
	old, err := s.fs.List(dir)
	if err != nil {
		return err
	}
	s.fs.isFresh.Store(true)
	defer s.fs.isFresh.Store(false)
	return s.await(ctx, func() (bool, error) {
		if err := s.db.Flush(); err != nil { // begins another file
			return false, err
		}
		now, err := s.fs.List(dir)
		left := slices.ContainsFunc(now, func(name string) bool { return strings.HasSuffix(name, logSuffix) && slices.Contains(old, name) })
		return !left, err
	})
}

// discardTables waits until the tables are removed that the database does not use any more; scans may still read them.
func (s *space) discardTables(ctx context.Context) error {
	var old []string
	return s.await(ctx, func() (bool, error) {
		there, err := s.fs.List(s.dir)
		if err != nil {
			return false, err
		}
		levels, err := s.db.SSTables()
		if err != nil {
			return false, err
		}
		live := map[string]bool{}
		for _, level := range levels {
			for _, t := range level {
				live[tableName(uint64(t.FileNum))] = true
				live[tableName(uint64(t.BackingSSTNum))] = true
			}
		}
		isOld := func(name string) bool {
			return strings.HasSuffix(name, tableSuffix) && !live[name]
		}
		if old == nil {
			old = slices.DeleteFunc(slices.Clone(there), func(name string) bool { return !isOld(name) })
		}
		return !slices.ContainsFunc(there, func(name string) bool { return isOld(name) && slices.Contains(old, name) }), nil
	})
}

const tableSuffix = ".sst"

// tableName is the name of a table's file.
func tableName(n uint64) string {
	name := itoa(int(n))
	return strings.Repeat("0", max(6-len(name), 0)) + name + tableSuffix
}

// manifestNow is the name of the list of tables that is in use, by the marker that Pebble leaves.
func (s *space) manifestNow() (string, error) {
	names, err := s.fs.List(s.dir)
	if err != nil {
		return "", err
	}
	newest, manifest := "", ""
	for _, name := range names {
		rest, ok := strings.CutPrefix(name, "marker.manifest.")
		if n, of, _ := strings.Cut(rest, "."); ok && n > newest {
			newest, manifest = n, of
		}
	}
	if manifest == "" {
		return "", fault.Errorf(fault.Internal, "pebble.Compact", "the list of tables cannot be found")
	}
	return manifest, nil
}
