// Package pebble is the embedded engine: one Pebble database for each space, all in one process, with one block cache
// for all. What Update and Load have reported as done is on the disk (the log is synced); a commit may show to readers
// shortly before it is, and is lost with a power failure in between together with everything that was built upon it.
package pebble

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/fault"
	"tarn/kv"
)

// Options set an engine up. The zero value is what a server wants.
type Options struct {
	// FS is the file system beneath; nil is the operating system's. The caller may keep it to simulate crashes.
	FS vfs.FS
	// CacheBytes bounds the block cache that all spaces share; 0 is 64 MiB.
	CacheBytes int64
	// ReserveBytes is the free disk space below which writes are refused with fault.Unavailable, before the disk is
	// full in earnest and the log cannot be written; 0 is 64 MiB, below 0 is no bound.
	ReserveBytes int64
}

// Engine is a kv.Engine that keeps each space in a directory of its own. It is safe for concurrent use.
type Engine struct {
	fs    vfs.FS
	dir   string
	room  *room
	cache *pebble.Cache
	files *pebble.FileCache
	lock  io.Closer

	renewing chan struct{} // holds one for each space whose files are written anew

	mu     sync.Mutex
	slots  map[string]*slot
	closed bool
}

// slot is the place of one name; its mutex puts opening and dropping of that name in a row. It stays when the space
// goes.
type slot struct {
	mu    sync.Mutex
	space *space
}

var _ kv.Engine = (*Engine)(nil)

// Open opens, or makes, the engine in dir and removes what an interrupted drop has left. One engine at a time holds a
// directory: a second one gets fault.Conflict. Spaces are opened when they are asked for.
func Open(dir string, opts Options) (*Engine, error) {
	const op = "pebble.Open"
	if opts.FS == nil {
		opts.FS = vfs.Default
	}
	if opts.CacheBytes <= 0 {
		opts.CacheBytes = 64 << 20
	}
	e := &Engine{fs: opts.FS, dir: filepath.Clean(dir), slots: map[string]*slot{}, renewing: make(chan struct{}, mostRenewals)}
	e.room = newRoom(opts.FS, e.dir, opts.ReserveBytes)
	if err := makeDir(e.fs, e.dir); err != nil {
		return nil, translate(op, err)
	}
	lock, err := e.fs.Lock(e.fs.PathJoin(e.dir, "LOCK"))
	if err != nil {
		return nil, fault.WithHint(fault.Errorf(fault.Conflict, op, "the data directory is in use: %w", err),
			"stop the other process that uses this directory, or choose another one")
	}
	e.lock = lock
	if err := e.sweep(); err != nil {
		return nil, errors.Join(translate(op, err), lock.Close())
	}
	e.cache = pebble.NewCache(opts.CacheBytes)
	e.files = pebble.NewFileCache(fileShards, maxOpenFiles)
	return e, nil
}

// InMemory opens an engine whose files live in memory and vanish with it: the engine for the tests of upper floors.
func InMemory(opts Options) (*Engine, error) {
	opts.FS = vfs.NewMem()
	return Open("mem", opts)
}

// Open implements kv.Engine.
func (e *Engine) Open(ctx context.Context, name string) (kv.Space, error) {
	const op = "pebble.Open"
	sl, err := e.slot(ctx, op, name)
	if err != nil {
		return nil, err
	}
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if e.isClosed() {
		return nil, errClosed(op)
	}
	if sl.space == nil {
		s, err := openSpace(e, name)
		if err != nil {
			return nil, translate(op, err)
		}
		sl.space = s
	}
	return sl.space, nil
}

// Drop implements kv.Engine. The space's files are removed at once, or as soon as its last open snapshot and iterator
// are closed.
func (e *Engine) Drop(ctx context.Context, name string) error {
	const op = "pebble.Drop"
	sl, err := e.slot(ctx, op, name)
	if err != nil {
		return err
	}
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if e.isClosed() {
		return errClosed(op)
	}
	if sl.space != nil {
		if err := sl.space.drop(); err != nil {
			return translate(op, err)
		}
		sl.space = nil
		return nil
	}
	dir := e.spaceDir(name)
	if _, err := e.fs.Stat(dir); err != nil {
		if isNotExist(err) {
			return nil
		}
		return translate(op, err)
	}
	tomb, err := e.bury(dir, name, e.fs.Rename)
	if err != nil {
		return translate(op, err)
	}
	return translate(op, e.fs.RemoveAll(tomb))
}

// Spaces implements kv.Engine.
func (e *Engine) Spaces(ctx context.Context) ([]string, error) {
	const op = "pebble.Spaces"
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e.isClosed() {
		return nil, errClosed(op)
	}
	found, err := e.fs.List(e.dir)
	if err != nil {
		return nil, translate(op, err)
	}
	names := make([]string, 0, len(found))
	for _, name := range found {
		if kv.CheckSpace(name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// Close implements kv.Engine. If a snapshot or an iterator is still open it returns fault.Conflict, and the files are
// closed when the last of them is.
func (e *Engine) Close() error {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil
	}
	e.closed = true
	slots := e.slots
	e.mu.Unlock()

	var errs []error
	for _, sl := range slots {
		sl.mu.Lock()
		if sl.space != nil {
			errs = append(errs, sl.space.close())
		}
		sl.mu.Unlock()
	}
	e.files.Unref()
	e.cache.Unref()
	errs = append(errs, e.lock.Close())
	return translate("pebble.Close", errors.Join(errs...))
}

func (e *Engine) slot(ctx context.Context, op, name string) (*slot, error) {
	if err := kv.CheckSpace(name); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return nil, errClosed(op)
	}
	sl := e.slots[name]
	if sl == nil {
		sl = &slot{}
		e.slots[name] = sl
	}
	return sl, nil
}

func (e *Engine) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

func (e *Engine) spaceDir(name string) string { return e.fs.PathJoin(e.dir, name) }

const tombPrefix = ".dropped-"

// bury renames a space's directory to a name that no space has, durably. From then on the space is dropped; a crash
// leaves files that the next sweep removes.
func (e *Engine) bury(dir, name string, rename func(from, to string) error) (string, error) {
	for n := 0; ; n++ {
		tomb := e.fs.PathJoin(e.dir, tombPrefix+name+"-"+itoa(n))
		if _, err := e.fs.Stat(tomb); !isNotExist(err) {
			if err != nil {
				return "", err
			}
			continue
		}
		if err := rename(dir, tomb); err != nil {
			return "", err
		}
		return tomb, syncDir(e.fs, e.dir)
	}
}

// sweep removes the directories of dropped spaces.
func (e *Engine) sweep() error {
	found, err := e.fs.List(e.dir)
	if err != nil {
		return err
	}
	for _, name := range found {
		if strings.HasPrefix(name, tombPrefix) {
			if err := e.fs.RemoveAll(e.fs.PathJoin(e.dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}
