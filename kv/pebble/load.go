package pebble

import (
	"context"
	"errors"
	"iter"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/objstorage/objstorageprovider"
	"github.com/cockroachdb/pebble/v2/sstable"
	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/kv"
)

const (
	loadAsBatch   = 2 << 20  // a load up to this size is one synced batch
	loadTableSize = 64 << 20 // bytes of keys and values in one table of a bigger one
	loadPrefix    = "load-"
)

// Load implements kv.Space. A small load is a batch; a bigger one is written as sorted tables beside the database,
// which then takes them in as they are: no log, no memory table, and mostly no compaction.
func (s *space) Load(ctx context.Context, seq iter.Seq2[kv.Entry, error]) (err error) {
	const op = "pebble.Load"
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
	return s.load(ctx, op, seq)
}

// load does a load for a caller who has entered.
func (s *space) load(ctx context.Context, op string, seq iter.Seq2[kv.Entry, error]) error {
	l := &loader{space: s, batch: &kv.Batch{}}
	defer l.clean()
	for e, err := range kv.CheckEntries(seq) {
		if err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.isGone.Load() {
			return errDropped(op)
		}
		if err := l.add(e); err != nil {
			return translate(op, err)
		}
	}
	if l.batch != nil {
		if l.batch.Len() == 0 {
			return nil
		}
		return s.commit(op, l.batch)
	}
	return translate(op, l.ingest(ctx, op))
}

// loader gathers a load: in batch first, then, when that is too big, in tables.
type loader struct {
	space *space
	batch *kv.Batch
	dir   string
	paths []string
	table *sstable.Writer
	size  int  // of the open table
	first byte // of its keys
}

func (l *loader) add(e kv.Entry) error {
	if l.batch == nil {
		return l.put(e.Key, e.Value)
	}
	if l.batch.Size()+len(e.Key)+len(e.Value) <= loadAsBatch {
		l.batch.Set(append([]byte(nil), e.Key...), append([]byte{}, e.Value...))
		return nil
	}
	ops := l.batch.Ops()
	l.batch = nil
	for _, o := range ops {
		if err := l.put(o.Key, o.Value); err != nil {
			return err
		}
	}
	return l.put(e.Key, e.Value)
}

func (l *loader) put(key, value []byte) error {
	// The first byte of a key names a kind of row. A table has one kind only, so that tables of rows that are written in
	// the order of their keys overlap nothing and go straight to the last level.
	if l.size >= loadTableSize || l.table != nil && key[0] != l.first {
		if err := l.seal(); err != nil {
			return err
		}
	}
	if l.table == nil {
		if err := l.begin(); err != nil {
			return err
		}
	}
	l.size += len(key) + len(value)
	l.first = key[0]
	return l.table.Set(key, value)
}

func (l *loader) begin() error {
	s := l.space
	if err := s.engine.room.check("pebble.Load"); err != nil {
		return err
	}
	if l.dir == "" {
		l.dir = s.fs.PathJoin(s.dir, loadPrefix+itoa(int(s.loads.Add(1))))
		if err := s.fs.MkdirAll(l.dir, 0o700); err != nil {
			return err
		}
	}
	path := s.fs.PathJoin(l.dir, itoa(len(l.paths)))
	f, err := s.fs.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	f = vfs.NewSyncingFile(f, vfs.SyncingFileOptions{BytesPerSync: s.opts.BytesPerSync})
	l.paths = append(l.paths, path)
	l.table = sstable.NewWriter(objstorageprovider.NewFileWritable(f), s.opts.MakeWriterOptions(lastLevel, s.db.TableFormat()))
	l.size = 0
	return nil
}

// seal finishes the open table; its file is synced.
func (l *loader) seal() error {
	if l.table == nil {
		return nil
	}
	t := l.table
	l.table = nil
	return t.Close()
}

// ingest hands all tables to the database at once.
func (l *loader) ingest(ctx context.Context, op string) error {
	if err := l.seal(); err != nil {
		return err
	}
	s := l.space
	s.commits.RLock()
	defer s.commits.RUnlock()
	if s.isGone.Load() {
		return errDropped(op)
	}
	if err := s.wreck.check(op); err != nil {
		return err
	}
	if err := s.db.Ingest(ctx, l.paths); err != nil {
		return err
	}
	return s.wreck.check(op)
}

// clean removes what the load has left beside the database.
func (l *loader) clean() {
	if l.table != nil {
		_ = l.table.Close()
	}
	if l.dir != "" {
		_ = l.space.fs.RemoveAll(l.dir)
	}
}

// sweepLoads removes what a load interrupted by a crash has left.
func (s *space) sweepLoads() error {
	names, err := s.fs.List(s.dir)
	if err != nil {
		return err
	}
	var errs []error
	for _, name := range names {
		if len(name) > len(loadPrefix) && name[:len(loadPrefix)] == loadPrefix {
			errs = append(errs, s.fs.RemoveAll(s.fs.PathJoin(s.dir, name)))
		}
	}
	return errors.Join(errs...)
}

var _ pebble.Logger = (*wreck)(nil)
