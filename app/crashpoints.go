//go:build crashpoints

package app

import (
	"context"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"tarn/cloud"
	"tarn/kv"
)

// points kills this process where a file in its data directory says so. The file crash-at holds the name of a point and
// a number n: the process dies, as by SIGKILL, when it reaches the point for the n-th time since the file is there. A
// point is WHAT.before or WHAT.after, where WHAT is a durable step: system (a write to the space of the ledger and the
// bucket's records), data (a write to a data store), load (one of sorted bulk data), put (an object of a job). load.middle
// is reached at each thousandth row. Only builds with the tag crashpoints have
// them, for test/crash.
type points struct {
	file string

	mu    sync.Mutex
	armed bool
	name  string
	left  int
}

func newPoints(dir string) *points { return &points{file: filepath.Join(dir, "crash-at")} }

func (p *points) reach(what, side string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	text, err := os.ReadFile(p.file)
	if err != nil { // none, or taken away
		p.armed = false
		return
	}
	if !p.armed {
		if _, err := fmt.Sscanf(string(text), "%s %d", &p.name, &p.left); err != nil {
			return
		}
		p.armed = true
	}
	if p.name != what+"."+side {
		return
	}
	if p.left--; p.left > 0 {
		return
	}
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {} // nothing happens behind the point until the signal has come
}

// crashableEngine puts points around every write.
func crashableEngine(e kv.Engine, dir string) kv.Engine {
	return &crashEngine{Engine: e, points: newPoints(dir), spaces: map[kv.Space]kv.Space{}}
}

type crashEngine struct {
	kv.Engine
	points *points
	mu     sync.Mutex
	spaces map[kv.Space]kv.Space // the same space again for the same space
}

func (e *crashEngine) Open(ctx context.Context, name string) (kv.Space, error) {
	inner, err := e.Engine.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	what := "data"
	if name == "system" {
		what = name
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.spaces[inner] == nil {
		e.spaces[inner] = crashSpace{inner, what, e.points}
	}
	return e.spaces[inner], nil
}

type crashSpace struct {
	kv.Space
	what   string
	points *points
}

func (s crashSpace) Update(ctx context.Context, lock [][]byte, fn func(tx kv.Locked) (*kv.Batch, error)) error {
	wrote, loaded := false, false
	err := s.Space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		b, err := fn(tx)
		if wrote = err == nil && !b.IsEmpty(); !wrote {
			return b, err
		}
		s.points.reach(s.what, "before")
		if rows := b.Sorted(); rows != nil {
			loaded = true
			s.points.reach("load", "before")
			b = kv.Bulk(s.middle(rows))
		}
		return b, nil
	})
	if wrote && err == nil {
		s.points.reach(s.what, "after")
	}
	if loaded && err == nil {
		s.points.reach("load", "after")
	}
	return err
}

// middle are rows with points between them.
func (s crashSpace) middle(rows iter.Seq2[kv.Entry, error]) iter.Seq2[kv.Entry, error] {
	return func(yield func(kv.Entry, error) bool) {
		n := 0
		for e, err := range rows {
			if n++; n%1000 == 0 {
				s.points.reach("load", "middle")
			}
			if !yield(e, err) {
				return
			}
		}
	}
}

func (s crashSpace) Load(ctx context.Context, seq iter.Seq2[kv.Entry, error]) error {
	s.points.reach(s.what, "before")
	err := s.Space.Load(ctx, seq)
	s.points.reach(s.what, "after")
	return err
}

// crashableCloud puts points around every object that a job writes.
func crashableCloud(c cloud.Cloud, dir string) cloud.Cloud { return crashCloud{c, newPoints(dir)} }

type crashCloud struct {
	cloud.Cloud
	points *points
}

func (c crashCloud) Assume(ctx context.Context, a cloud.Assumption) (cloud.Role, error) {
	r, err := c.Cloud.Assume(ctx, a)
	if r == nil {
		return nil, err
	}
	return crashRole{r, c.points}, err
}

func (c crashCloud) Own(ctx context.Context) (cloud.OwnBucket, error) {
	b, err := c.Cloud.Own(ctx)
	if err != nil {
		return nil, err
	}
	return crashOwn{b, c.points}, nil
}

type crashRole struct {
	cloud.Role
	points *points
}

func (r crashRole) Bucket(name string) cloud.Bucket {
	return crashBucket{r.Role.Bucket(name), r.points}
}

type crashBucket struct {
	cloud.Bucket
	points *points
}

func (b crashBucket) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	return b.points.put(func() error { return b.Bucket.Put(ctx, key, body, size, o) })
}

type crashOwn struct {
	cloud.OwnBucket
	points *points
}

func (b crashOwn) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	return b.points.put(func() error { return b.OwnBucket.Put(ctx, key, body, size, o) })
}

func (p *points) put(put func() error) error {
	p.reach("put", "before")
	err := put()
	p.reach("put", "after")
	return err
}
