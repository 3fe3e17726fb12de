package catalog

import (
	"context"
	"sync"
	"time"

	"tarn/fault"
	"tarn/store"
)

// freshFor is how long a row may be believed without looking again, where another process can change it.
const freshFor = time.Second

// shelf is what this process holds of one data store: its row as last seen, and the store once it was opened.
type shelf struct {
	mu   sync.Mutex
	row  Datastore
	seen time.Time // zero: look again
	data *store.Store
	// stale: its index is to be made anew. asked is when that was last asked for, pause how long from then until it is
	// looked whether it has helped.
	stale bool
	asked time.Time
	pause time.Duration
}

// Pauses between two looks whether an index that was to be made anew is so: the work may have failed.
const (
	askFirst = time.Minute
	askLast  = 10 * time.Minute
)

// Store opens what is in an ACTIVE data store; everybody shares it, and the Catalog closes it. A data store that there
// never was is fault.NotFound, a deleted one fault.Gone, one in another state fault.Conflict.
func (c *Catalog) Store(ctx context.Context, id string) (*store.Store, error) {
	return c.data(ctx, "catalog.Store", id, false)
}

// Loading is Store for the work of a preload, which opens the data store while it is CREATING.
func (c *Catalog) Loading(ctx context.Context, id string) (*store.Store, error) {
	return c.data(ctx, "catalog.Loading", id, true)
}

// Known is Describe from memory: what this process changed shows at once, what another one did within a second. It is
// made for every request of the data plane; the caller does not change the tags.
func (c *Catalog) Known(ctx context.Context, id string) (Datastore, error) {
	s, err := c.shelf(ctx, id)
	if err != nil {
		return Datastore{}, fault.Wrap("catalog.Known", err)
	}
	defer s.mu.Unlock()
	return s.row, nil
}

func (c *Catalog) data(ctx context.Context, op, id string, loading bool) (*store.Store, error) {
	s, err := c.shelf(ctx, id)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	defer s.mu.Unlock()
	switch {
	case s.row.Status == Active || s.row.Status == Creating && loading:
	case s.row.Status == Deleted:
		return nil, fault.Wrap(op, gone(id))
	default:
		return nil, fault.Errorf(fault.Conflict, op, "Data store %s is %s and cannot be used now.", id, s.row.Status)
	}
	if s.data != nil {
		c.refresh(ctx, s)
		return s.data, nil
	}
	space, err := c.engine.Open(ctx, SpaceName(id))
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	data, err := store.Open(ctx, space, store.Options{Now: c.o.Now, Epoch: c.o.IndexEpoch, Alone: c.o.Alone})
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	epoch, err := data.IndexEpoch(ctx)
	if err != nil {
		_ = data.Close()
		return nil, fault.Wrap(op, err)
	}
	s.data, s.stale, s.asked, s.pause = data, epoch != c.o.IndexEpoch, time.Time{}, 0
	c.refresh(ctx, s)
	return data, nil
}

// refresh asks for the index to be made anew where that is due, and again until it is so. What fails here is tried again
// with the next use: a data store with an old index is better than none.
func (c *Catalog) refresh(ctx context.Context, s *shelf) {
	if !s.stale || s.row.Status != Active || c.o.Enqueue == nil || !s.asked.IsZero() && time.Since(s.asked) < s.pause {
		return
	}
	if !s.asked.IsZero() {
		epoch, err := s.data.IndexEpoch(ctx)
		if err != nil {
			return
		}
		if s.stale = epoch != c.o.IndexEpoch; !s.stale {
			return
		}
	}
	if c.o.Enqueue(ctx, Task{Kind: Reindex, Datastore: s.row.ID}) == nil {
		s.asked, s.pause = time.Now(), min(max(2*s.pause, askFirst), askLast)
	}
}

// shelf returns the data store's shelf, locked, its row fresh. Ids that are not there leave nothing behind.
func (c *Catalog) shelf(ctx context.Context, id string) (*shelf, error) {
	c.mu.Lock()
	s, closed := c.open[id], c.closed
	c.mu.Unlock()
	if closed {
		return nil, fault.Errorf(fault.Unavailable, "catalog", "The server is shutting down.")
	}
	if s == nil {
		if _, err := c.Describe(ctx, id); err != nil {
			return nil, err
		}
		c.mu.Lock()
		if s = c.open[id]; s == nil && !c.closed {
			s = new(shelf)
			c.open[id] = s
		}
		c.mu.Unlock()
		if s == nil {
			return nil, fault.Errorf(fault.Unavailable, "catalog", "The server is shutting down.")
		}
	}
	s.mu.Lock()
	if s.seen.IsZero() || time.Since(s.seen) > freshFor {
		now := time.Now()
		row, err := c.Describe(ctx, id)
		if err != nil {
			s.mu.Unlock()
			return nil, err
		}
		s.row, s.seen = row, now
	}
	return s, nil
}

// forget lets the next look at a data store read its row again.
func (c *Catalog) forget(id string) {
	c.mu.Lock()
	s := c.open[id]
	c.mu.Unlock()
	if s != nil {
		s.mu.Lock()
		s.seen = time.Time{}
		s.mu.Unlock()
	}
}

// shut closes a data store's contents; who holds it still gets errors. The row decides whether it opens again.
func (c *Catalog) shut(id string) error {
	c.mu.Lock()
	s := c.open[id]
	c.mu.Unlock()
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = time.Time{}
	if s.data == nil {
		return nil
	}
	data := s.data
	s.data = nil
	return data.Close()
}

// Close closes every open data store; what is asked for afterwards is fault.Unavailable. The engine stays open.
func (c *Catalog) Close() error {
	c.mu.Lock()
	c.closed = true
	var ids []string
	for id := range c.open {
		ids = append(ids, id)
	}
	c.mu.Unlock()
	var first error
	for _, id := range ids {
		if err := c.shut(id); err != nil && first == nil {
			first = fault.Wrap("catalog.Close", err)
		}
	}
	return first
}
