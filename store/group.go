package store

import (
	"bytes"
	"context"
	"fmt"

	"tarn/fault"
	"tarn/fhir"
	"tarn/kv"
)

// group plans the batch of several transactions under the head lock. Each sees what those before it in the group do.
type group struct {
	store   *Store
	ctx     context.Context
	tx      kv.Locked
	base    *head // as found
	head    *head // as it will be
	instant fhir.Instant
	late    error // why no version can be written
	first   []Rider

	resources map[resourceKey]*resource
	uploads   map[blobRef]bool
	planned   map[string]bool // keys of the riders that the group sets (true) or deletes (false)
	batch     kv.Batch
	memory    arena
	old, new  []Entry    // of the write being planned
	off       []*pending // those that need another group
}

// resource is what stands, or will stand, under an id.
type resource struct {
	found   bool
	ordinal Ordinal
	row     row
	value   []byte // of the current row
	forward []byte // joined
}

func (s *Store) newGroup(ctx context.Context, tx kv.Locked) (*group, error) {
	base, err := parseHead(tx.Values[0])
	if err != nil {
		return nil, err
	}
	next := *base
	g := &group{store: s, ctx: ctx, tx: tx, base: base, head: &next}
	g.instant, g.late = base.after(s.now())
	g.first, err = s.first(ctx, tx, base)
	return g, err
}

// look reads what the writes of all members need, in few round trips.
func (g *group) look(members []*pending) error {
	count, size := 0, 0
	for _, p := range members {
		count += len(p.writes)
		size += p.size
	}
	g.memory.expect(size)
	g.resources = make(map[resourceKey]*resource, count)
	all := make([]resource, 0, count) // never grows, so that pointers hold
	keys := make([][]byte, 0, count)
	var refs []blobRef
	for _, p := range members {
		for i := range p.writes {
			w := &p.writes[i]
			if w.upload != nil {
				refs = append(refs, w.upload.ref)
			}
			name := resourceKey{w.Type, w.ID}
			if _, ok := g.resources[name]; !ok {
				all = append(all, resource{})
				g.resources[name] = &all[len(all)-1]
				keys = append(keys, w.key)
			}
		}
	}
	for _, ref := range refs {
		keys = append(keys, uploadKey(nil, ref))
	}
	if len(keys) == 0 {
		return nil
	}
	values, err := g.tx.Get(g.ctx, keys...)
	if err != nil {
		return err
	}
	g.uploads = make(map[blobRef]bool, len(refs))
	for i, ref := range refs {
		g.uploads[ref] = values[len(all)+i] != nil
	}
	return g.lookRows(all, keys[:len(all)], values[:len(all)])
}

// lookRows reads the current rows and forward rows of the resources whose ids were found.
func (g *group) lookRows(all []resource, ids, ordinals [][]byte) error {
	var found []*resource
	var keys [][]byte
	for i, value := range ordinals {
		if value == nil {
			continue
		}
		if len(value) != 4 {
			return broken("id", ids[i])
		}
		r := &all[i]
		r.found, r.ordinal = true, Ordinal(be.Uint32(value))
		found = append(found, r)
		current := append([]byte(nil), ids[i][:3]...)
		current[0] = tableCurrent
		current = be.AppendUint32(current, uint32(r.ordinal))
		forward := append([]byte(nil), current...)
		forward[0] = tableForward
		keys = append(keys, current, append(forward, 0, 0))
	}
	if len(found) == 0 {
		return nil
	}
	values, err := g.tx.Get(g.ctx, keys...)
	if err != nil {
		return err
	}
	for i, r := range found {
		r.value, r.forward = values[2*i], values[2*i+1]
		if !r.row.parse(r.value) {
			return broken("row", keys[2*i])
		}
		if r.forward, err = joinForward(g.ctx, g.tx, keys[2*i+1], r.forward); err != nil {
			return err
		}
	}
	return nil
}

// joinForward completes a forward row with those that follow it.
func joinForward(ctx context.Context, r kv.Reader, key, first []byte) ([]byte, error) {
	if first == nil {
		return nil, nil
	}
	if len(first) < forwardHeaderLen {
		return nil, broken("forward row", key)
	}
	rows := int(be.Uint16(first[1:]))
	if rows == 1 {
		return first, nil
	}
	var keys [][]byte
	for n := 1; n < rows; n++ {
		keys = append(keys, be.AppendUint16(append([]byte(nil), key[:ordinalKeyLen]...), uint16(n)))
	}
	values, err := r.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	joined := append([]byte(nil), first...)
	for i, v := range values {
		if v == nil {
			return nil, broken("forward row", keys[i])
		}
		joined = append(joined, v...)
	}
	return joined, nil
}

// batchRoom is what transactions may fill of a batch; the rest is for the head and the instant's row.
const batchRoom = kv.MaxBatch - 8<<10

// plan adds a transaction to the batch, or sets its error, or puts it off.
func (g *group) plan(p *pending) {
	if p.err = g.once(p); p.err != nil {
		return
	}
	again, err := g.given(p.t.Given)
	if err == nil && !again {
		again, err = g.guards(p)
	}
	if err != nil {
		p.err = err
		return
	}
	if again {
		g.off = append(g.off, p)
		return
	}
	d := draft{group: g, head: *g.head}
	if p.results, err = d.writes(p); err != nil {
		p.err = err
		return
	}
	if err = d.riders(p); err != nil {
		p.results, p.err = nil, err
		return
	}
	switch {
	case g.batch.Size()+d.size <= batchRoom:
		d.keep()
	case g.batch.Len() > 0:
		p.results = nil
		g.off = append(g.off, p)
	default:
		p.results = nil
		p.err = fault.WithHint(fault.Errorf(fault.TooLarge, "store.Commit",
			"the transaction needs %d bytes in one batch; at most %d fit", d.size, batchRoom), "divide it into several")
	}
}

// once checks that no rider which would say that the transaction is done is there.
func (g *group) once(p *pending) error {
	for _, name := range p.t.Once {
		key := riderKey(nil, name)
		if set, ok := g.planned[string(key)]; set {
			return ErrDone
		} else if ok {
			continue // an earlier member deletes it
		}
		values, err := g.tx.Get(g.ctx, key)
		if err != nil {
			return err
		}
		if values[0] != nil {
			return ErrDone
		}
	}
	return nil
}

// given checks a rider that must be as it was. again: the group sets or deletes it, and it can be decided in the next group only.
func (g *group) given(r *Rider) (again bool, err error) {
	if r == nil {
		return false, nil
	}
	if _, ok := g.planned[string(riderKey(nil, r.Key))]; ok {
		return true, nil
	}
	return false, isGiven(g.ctx, g.tx, r)
}

// isGiven is ErrStale where a rider is another.
func isGiven(ctx context.Context, tx kv.Locked, r *Rider) error {
	values, err := tx.Get(ctx, riderKey(nil, r.Key))
	if err != nil {
		return err
	}
	if (values[0] == nil) != (r.Value == nil) || !bytes.Equal(values[0], r.Value) {
		return ErrStale
	}
	return nil
}

// noteRider remembers that the group sets a rider, or deletes it.
func (g *group) noteRider(key []byte, set bool) {
	if g.planned == nil {
		g.planned = map[string]bool{}
	}
	g.planned[string(key)] = set
}

// guards checks the conditions of a transaction. again: earlier members of the group changed what one reads, and it
// can be decided in the next group only.
func (g *group) guards(p *pending) (again bool, err error) {
	for i := range p.t.Guards {
		if g.head.changed(p.t.Guards[i].Types, g.base.tx) {
			return true, nil
		}
	}
	for i := range p.t.Guards {
		guard := &p.t.Guards[i]
		if guard.AsOf > g.base.tx {
			return false, fault.Errorf(fault.Invalid, "store.Commit", "a guard is as of transaction %d; the last is %d", guard.AsOf, g.base.tx)
		}
		if g.base.changed(guard.Types, guard.AsOf) {
			if err := runCheck(p.ctx, guard, &View{r: g.tx, head: g.base, tx: g.base.tx, epoch: g.store.epoch}); err != nil {
				return false, err
			}
		}
	}
	return false, nil
}

// runCheck keeps a panic of a caller's check from ending the committer, and so everybody's writes.
func runCheck(ctx context.Context, guard *Guard, v *View) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.Errorf(fault.Internal, "store.Commit", "a guard panicked: %s", fmt.Sprint(r))
		}
	}()
	return guard.Check(ctx, v)
}

// finish adds what the group shares and returns the batch.
func (g *group) finish() *kv.Batch {
	if g.head.tx != g.base.tx {
		g.head.instant, g.head.sealed = g.instant, false
		g.batch.Set(instantKey(nil, g.instant), be.AppendUint64(nil, uint64(g.head.tx)))
		g.batch.Set(headKey, g.head.append(nil))
	}
	if g.head.tx == 0 || g.batch.Len() == 0 {
		return &g.batch
	}
	for _, r := range g.first {
		key := riderKey(nil, r.Key)
		if _, set := g.planned[string(key)]; !set || g.base.tx == 0 {
			g.batch.Set(key, r.Value)
		}
	}
	return &g.batch
}

// arena gives out small pieces of large blocks, since a batch has thousands of keys and values.
type arena struct {
	free  []byte
	block int // bytes of the next block
}

const (
	arenaBlock      = 256 << 10
	arenaBlockLeast = 4 << 10
)

// expect sizes the blocks for a group that brings about n bytes, so that a few small writes do not clear a large one.
func (a *arena) expect(n int) { a.block = min(max(n, arenaBlockLeast), arenaBlock) }

// room is an empty slice of capacity n.
func (a *arena) room(n int) []byte {
	if n > arenaBlock/4 {
		return make([]byte, 0, n)
	}
	if cap(a.free)-len(a.free) < n {
		a.free = make([]byte, 0, max(a.block, n))
	}
	at := len(a.free)
	a.free = a.free[:at+n]
	return a.free[at : at : at+n]
}
