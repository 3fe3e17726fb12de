package catalog

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// Filter says which data stores a list shows. All that is set must hold.
type Filter struct {
	Name          string // exactly; empty: any
	Status        Status // empty: any
	CreatedBefore time.Time
	CreatedAfter  time.Time // both exclusive; zero: no bound
	Limit         int       // at most MaxList and, when 0 or less, DefaultList
	Cursor        string    // Page.Next of the page before; empty: from the newest
}

// Page sizes of List.
const (
	DefaultList = 100
	MaxList     = 500
)

// Page is one page of a list, newest first. Next is empty on the last one.
type Page struct {
	Datastores []Datastore
	Next       string
}

func (r *row) indexKey() []byte {
	return fmt.Appendf(indexPrefix(), "%016x%s", uint64(r.Created), r.ID)
}

// Describe is a data store in whatever state, DELETED too; fault.NotFound if there never was one.
func (c *Catalog) Describe(ctx context.Context, id string) (Datastore, error) {
	const op = "catalog.Describe"
	if !validID(id) {
		return Datastore{}, fault.Wrap(op, notFound(id))
	}
	snap, err := c.system.Snapshot(ctx)
	if err != nil {
		return Datastore{}, fault.Wrap(op, err)
	}
	defer snap.Close()
	got, err := snap.Get(ctx, rowKey(id))
	if err != nil {
		return Datastore{}, fault.Wrap(op, err)
	}
	r, err := decodeRow(got[0], id)
	if err != nil {
		return Datastore{}, fault.Wrap(op, err)
	}
	return c.datastore(r), nil
}

// List shows data stores, newest first, deleted ones too. A cursor that List did not give out is fault.Invalid.
func (c *Catalog) List(ctx context.Context, f Filter) (Page, error) {
	const op = "catalog.List"
	if f.Limit <= 0 {
		f.Limit = DefaultList
	}
	f.Limit = min(f.Limit, MaxList)
	rng := kv.Prefix(indexPrefix())
	rng.Reverse = true
	if f.Cursor != "" {
		if len(f.Cursor) != 48 || !validID(f.Cursor[:32]) || !validID(f.Cursor[16:]) {
			return Page{}, fault.Errorf(fault.Invalid, op, "The cursor is not one that a list gave out.")
		}
		rng.End = append(indexPrefix(), f.Cursor...)
	}
	snap, err := c.system.Snapshot(ctx)
	if err != nil {
		return Page{}, fault.Wrap(op, err)
	}
	defer snap.Close()
	it := snap.Scan(ctx, rng)
	defer it.Close()
	var page Page
	for more := true; more; {
		var keys [][]byte
		var positions []string
		for len(keys) <= f.Limit {
			if more = it.Next(); !more {
				break
			}
			keys = append(keys, rowKey(string(it.Value())))
			positions = append(positions, string(bytes.TrimPrefix(it.Key(), indexPrefix())))
		}
		if err := it.Err(); err != nil {
			return Page{}, fault.Wrap(op, err)
		}
		if len(keys) == 0 {
			break
		}
		got, err := snap.Get(ctx, keys...)
		if err != nil {
			return Page{}, fault.Wrap(op, err)
		}
		for i := range got {
			r, err := decodeRow(got[i], positions[i][16:])
			if err != nil {
				return Page{}, fault.Wrap(op, err)
			}
			d := c.datastore(r)
			if !f.matches(&d) {
				continue
			}
			if len(page.Datastores) == f.Limit {
				return page, nil // Next was set by the last that fitted
			}
			page.Datastores = append(page.Datastores, d)
			page.Next = positions[i]
		}
	}
	page.Next = ""
	return page, nil
}

func (f *Filter) matches(d *Datastore) bool {
	return (f.Name == "" || d.Name == f.Name) && (f.Status == "" || d.Status == f.Status) &&
		(f.CreatedBefore.IsZero() || d.CreatedAt.Before(f.CreatedBefore)) &&
		(f.CreatedAfter.IsZero() || d.CreatedAt.After(f.CreatedAfter))
}
