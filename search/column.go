package search

import (
	"encoding/binary"
	"slices"
	"sync"
	"weak"

	"tarn/fhir/r4"
	"tarn/store"
)

// A column is what the index holds of one parameter, by resource and in memory: where a reference leads, or the first
// bytes of a sort key. Which of many resources lead where, or which come first, is then known without reading the entries
// of each. A column is made when what its lack has cost comes to as much as the making; it is as of one transaction, and
// what was changed since is looked up. It is never needed.
type column struct {
	at   store.TxID // the index spoke of this transaction
	refs []store.Ordinal
	to   *bitmap  // all to which they lead, of those that were there
	keys []uint64 // 0: none
}

// lookUp stands in refs for a resource whose entries must be looked at: it refers to several others, or to one that was
// not there yet.
const lookUp = store.Nowhere - 1

const (
	columnBytes = 64 << 20 // of all columns of a server
	columnStale = 2_048    // changed resources of which a column may not know
)

// columnOf names a column.
type columnOf struct {
	store  weak.Pointer[store.Store]
	typ    r4.Code
	param  string
	target r4.Code // of a reference; 0: sort keys
	desc   bool    // of these
}

func (c *column) size() int {
	size := 4*len(c.refs) + 8*len(c.keys)
	if c.to != nil {
		size += 8 * len(c.to.bits)
	}
	return size
}

// columns are the columns of a server. It is safe for concurrent use.
type columns struct {
	mu    sync.Mutex
	all   map[columnOf]*column
	lack  map[columnOf]int // steps that were done for want of a column
	order []columnOf       // of all, the one used last at the end
}

func (c *columns) get(of columnOf) *column {
	c.mu.Lock()
	defer c.mu.Unlock()
	found := c.all[of]
	if found != nil {
		c.order = append(slices.DeleteFunc(c.order, func(o columnOf) bool { return o == of }), of)
	}
	return found
}

// due notes steps that were done for want of a column, and reports whether the caller is to make it, for these have come
// to cost.
func (c *columns) due(of columnOf, steps, cost int) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lack == nil || len(c.lack) > 1_000 {
		c.lack = map[columnOf]int{}
	}
	c.lack[of] += steps
	if c.lack[of] < cost {
		return false
	}
	c.lack[of] = 0 // others go on without while it is made
	return true
}

// put keeps a column, and lets those go that were not used for longest, or whose data store is closed.
func (c *columns) put(of columnOf, made *column) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.all == nil {
		c.all = map[columnOf]*column{}
	}
	c.forget(of) // another request may have made it meanwhile
	size := made.size()
	for i := len(c.order) - 1; i >= 0; i-- {
		old := c.order[i]
		if size += c.all[old].size(); size > columnBytes || old.store.Value() == nil {
			size -= c.all[old].size()
			delete(c.all, old)
			c.order = slices.Delete(c.order, i, i+1)
		}
	}
	c.all[of], c.order = made, append(c.order, of)
}

// drop lets a column go, if it is still that one.
func (c *columns) drop(of columnOf, old *column) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if old != nil && c.all[of] == old {
		c.forget(of)
	}
}

// forget lets a column go. c.mu is held.
func (c *columns) forget(of columnOf) {
	delete(c.all, of)
	c.order = slices.DeleteFunc(c.order, func(o columnOf) bool { return o == of })
}

// fresh is a column, and for which resources it does not speak as of a view.
type fresh struct {
	*column
	changed []store.Ordinal // since it was made
	st      *typeState
}

// knows reports whether the column speaks for a resource.
func (f *fresh) knows(o store.Ordinal) bool {
	if int(o) >= max(len(f.refs), len(f.keys)) || f.st.isChanged(o) {
		return false
	}
	_, changed := slices.BinarySearch(f.changed, o)
	return !changed
}

// column is one that may be used; nil where there is none.
func (r *run) column(of columnOf) (*fresh, error) {
	if f := r.fresh[of]; f != nil || r.store == nil {
		return f, nil
	}
	name := of
	name.store = weak.Make(r.store)
	c := r.s.columns.get(name)
	if c == nil || r.v.Upto() < c.at {
		return nil, nil
	}
	if current, err := r.isCurrent(); err != nil || !current {
		return nil, err // indexing anew changes entries without a new version
	}
	st, err := r.state(of.typ)
	if err != nil {
		return nil, err
	}
	changed, all, err := r.v.ChangedAfter(r.ctx, of.typ, c.at, columnStale)
	if err != nil {
		return nil, err
	}
	r.work += len(changed)
	if !all {
		r.s.columns.drop(name, c)
		return nil, nil
	}
	f := &fresh{c, changed, st}
	r.fresh[of] = f
	return f, nil
}

// lacks notes what was done, or would have to be done, for want of a column, and makes it when that is worth while.
func (r *run) lacks(of columnOf, steps int, build func() (*column, error)) (*fresh, error) {
	st, err := r.state(of.typ)
	if err != nil || r.store == nil || 8*int(st.next) > columnBytes/2 || r.v.Tx() != r.v.Upto() {
		return nil, err // what is newer than the view would be left out of it
	}
	name := of
	name.store = weak.Make(r.store)
	if !r.s.columns.due(name, steps, int(st.next)*r.s.tune.columnShare/100) {
		return nil, nil
	}
	if current, err := r.isCurrent(); err != nil || !current {
		return nil, err
	}
	made, err := build()
	if err != nil || made == nil {
		return nil, err
	}
	made.at = r.v.Upto()
	r.s.columns.put(name, made)
	f := &fresh{column: made, st: st}
	r.fresh[of] = f
	return f, nil
}

// prefixOf is the first bytes of a sort key as a number, which is not 0.
func prefixOf(key []byte) uint64 {
	var b [8]byte
	copy(b[:], key)
	return max(binary.BigEndian.Uint64(b[:]), 1)
}
