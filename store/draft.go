package store

import (
	"bytes"
	"fmt"

	"tarn/fault"
	"tarn/kv"
)

// draft is one transaction of a group while it is planned. It leaves the group untouched until keep.
type draft struct {
	*group
	head    head // the group's head behind this transaction
	ops     []kv.Op
	size    int
	changed []changed
}

type changed struct {
	of *resource
	to resource
}

func (d *draft) set(key, value []byte) {
	d.ops = append(d.ops, kv.Op{Kind: kv.OpSet, Key: key, Value: value})
	d.size += len(key) + len(value)
}

func (d *draft) delete(key []byte) {
	d.ops = append(d.ops, kv.Op{Kind: kv.OpDelete, Key: key})
	d.size += len(key)
}

// keep makes the draft a part of the group.
func (d *draft) keep() {
	for _, o := range d.ops {
		if o.Kind == kv.OpSet {
			d.batch.Set(o.Key, o.Value)
		} else {
			d.batch.Delete(o.Key)
		}
	}
	for i := range d.changed {
		*d.changed[i].of = d.changed[i].to
	}
	*d.group.head = d.head
	for i := range d.ops {
		if key := d.ops[i].Key; len(key) > 1 && key[0] == tableRider {
			d.group.noteRider(key, d.ops[i].Kind == kv.OpSet)
		}
	}
}

// writes plans all writes of a transaction; the first that fails fails it.
func (d *draft) writes(p *pending) ([]Result, error) {
	if err := d.asSeen(p); err != nil {
		return nil, err
	}
	results := make([]Result, len(p.writes))
	d.ops = make([]kv.Op, 0, 5*len(p.writes)+len(p.t.Riders))
	d.changed = make([]changed, 0, len(p.writes))
	tx := d.head.tx + 1
	for i := range p.writes {
		w := &p.writes[i]
		result, err := d.write(w, d.resources[resourceKey{w.Type, w.ID}], tx)
		if err != nil {
			return nil, &WriteError{Write: i, Err: err}
		}
		results[i] = result
		if result.Change != None {
			d.head.tx = tx
		}
	}
	return results, nil
}

// riders plans those of the transaction, and those that its results give.
func (d *draft) riders(p *pending) error {
	d.add(p.t.Riders)
	if p.t.Report == nil {
		return nil
	}
	more, err := runReport(p)
	if err != nil {
		return err
	}
	for i := range more {
		if err := more[i].check(); err != nil {
			return err
		}
	}
	d.add(more)
	return nil
}

func (d *draft) add(riders []Rider) {
	for i := range riders {
		r := &riders[i]
		if r.Value == nil {
			d.delete(riderKey(nil, r.Key))
		} else {
			d.set(riderKey(nil, r.Key), r.Value)
		}
	}
}

// runReport keeps a panic of a caller's report from ending the committer.
func runReport(p *pending) (riders []Rider, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fault.Errorf(fault.Internal, "store.Commit", "a report panicked: %s", fmt.Sprint(r))
		}
	}()
	return p.t.Report(p.results), nil
}

// permit checks the conditions of a write against what stands.
func (w *prepared) permit(r *resource) error {
	const op = "store.Commit"
	live := r.found && !r.row.deleted()
	switch {
	case w.Op == Create && r.found:
		return fault.Errorf(fault.Exists, op, "%s/%s is or was there already", w.Type, w.ID)
	case w.IfNoneMatch && live:
		return fault.Errorf(fault.Precondition, op, "%s/%s is there already, with version %d", w.Type, w.ID, r.row.number)
	case w.IfMatch != 0 && !live:
		return fault.Errorf(fault.Precondition, op, "%s/%s is not there, so it has no version %d", w.Type, w.ID, w.IfMatch)
	case w.IfMatch != 0 && w.IfMatch != r.row.number:
		return fault.Errorf(fault.Precondition, op, "%s/%s has version %d, not %d", w.Type, w.ID, r.row.number, w.IfMatch)
	}
	return nil
}

// write plans one write of what stands as r.
func (d *draft) write(w *prepared, r *resource, tx TxID) (Result, error) {
	if w.Op == reindex {
		return d.reindex(w, r)
	}
	if err := w.permit(r); err != nil {
		return Result{}, err
	}
	live := r.found && !r.row.deleted()
	if w.Op == Delete && !live || w.Op == Erase && (!r.found || r.row.isErasure()) {
		result := Result{Version: Version{Type: w.Type, ID: w.ID}}
		if r.found {
			result.Version = r.row.version(w.Type, r.ordinal)
		}
		return result, nil
	}
	if d.late != nil {
		return Result{}, d.late
	}
	t := &d.head.types[w.Type]
	next := resource{found: true, ordinal: r.ordinal, forward: w.forward}
	next.row = row{tx: tx, first: r.row.first, number: r.row.number + 1, instant: d.instant, id: w.key[3:]}
	next.row.setVeil(r.row.veil)
	change, mark := Updated, Updated // mark is for the table of the dead
	switch {
	case !r.found:
		if t.next == End {
			return Result{}, fault.Errorf(fault.TooLarge, "store.Commit", "the data store has no room for another %s", w.Type)
		}
		change = Created
		next.ordinal, next.row.first = t.next, tx
		t.next++
		t.live++
		d.set(w.key, be.AppendUint32(d.memory.room(4), uint32(next.ordinal)))
	case w.Op == Erase:
		change, mark = Deleted, erased
		if live {
			t.live--
		}
		next.row.flags |= rowDeleted
		next.row.setVeil(tx)
	case w.Op == Delete:
		change, mark = Deleted, Deleted
		t.live--
		next.row.flags |= rowDeleted
	case !live:
		change, mark = Created, Created
		t.live++
	}
	t.last = tx
	if r.found {
		if w.staged != r.row.tx || w.Op != Erase {
			d.set(historyKey(d.memory.room(historyKeyLen), w.Type, r.ordinal, r.row.tx), r.value)
		}
		if mark != Updated {
			d.set(livenessKey(d.memory.room(livenessKeyLen), w.Type, r.ordinal, tx), []byte{byte(mark)})
		}
	}
	body, err := d.current(w, &next)
	if err != nil {
		return Result{}, err
	}
	key := be.AppendUint32(changeKey(d.memory.room(changeKeyLen), w.Type, tx), uint32(next.ordinal))
	d.set(key, be.AppendUint64(append(d.memory.room(changeLen), byte(change)), next.row.number))
	if err := d.index(w, r, &next); err != nil {
		return Result{}, err
	}
	d.changed = append(d.changed, changed{r, next})
	return Result{
		Version: Version{Type: w.Type, ID: w.ID, Ordinal: next.ordinal, Tx: tx, FirstTx: next.row.first, Number: next.row.number,
			Instant: d.instant, Deleted: change == Deleted, Erased: w.Op == Erase, Body: body},
		Change: change,
	}, nil
}

// current plans the current row, and the document where it is apart; it returns the final bytes.
func (d *draft) current(w *prepared, next *resource) (body []byte, err error) {
	key := ordinalKey(d.memory.room(ordinalKeyLen), tableCurrent, w.Type, next.ordinal)
	head := next.row.headerLen()
	if !w.hasBody() {
		next.value = next.row.appendHeader(d.memory.room(head))
		d.set(key, next.value)
		return nil, nil
	}
	size := w.Resource.StampedSize(w.ID, next.row.number, d.instant)
	value := next.row.appendHeader(d.memory.room(head + size))
	value = w.Resource.AppendStamped(value, w.ID, next.row.number, d.instant)
	body = value[head:len(value):len(value)]
	if w.upload != nil || len(body) > inlineMax {
		next.row.flags |= rowApart
		var p place
		if w.upload != nil {
			if !d.uploads[w.upload.ref] {
				return nil, fault.Errorf(fault.Unavailable, "store.Commit", "%s/%s took too long on its way; send it again", w.Type, w.ID)
			}
			p = w.upload.place(body)
			d.delete(uploadKey(nil, w.upload.ref))
		} else {
			p = place{ref: ownRef(key, next.row.tx), length: len(body)}
			for n := 0; n*kv.MaxValue < len(body); n++ {
				d.set(blobKey(nil, p.ref, uint16(n)), body[n*kv.MaxValue:min((n+1)*kv.MaxValue, len(body))])
			}
		}
		value = p.append(next.row.appendHeader(d.memory.room(head + apartLen + len(p.stamp))))
	}
	next.value, next.row.document = value, value[head:]
	d.set(key, value)
	return body, nil
}

// index plans the difference between the entries of what stands and what comes.
func (d *draft) index(w *prepared, r, next *resource) error {
	if bytes.Equal(r.forward, next.forward) {
		return nil
	}
	old, _, ok := appendEntries(d.old[:0], r.forward)
	if !ok {
		return broken("forward row", forwardKey(nil, w.Type, r.ordinal, 0))
	}
	entries, _, _ := appendEntries(d.new[:0], next.forward) // made here
	d.old, d.new = old, entries
	key := func(e Entry) []byte {
		return searchKey(d.memory.room(searchKeyLen(e)), w.Type, e, next.ordinal)
	}
	diffEntries(old, entries, func(e Entry) { d.delete(key(e)) }, func(e Entry) { d.set(key(e), nil) })
	rows := forwardRows(next.forward)
	for n := 0; n < rows; n++ {
		row := next.forward[n*kv.MaxValue : min((n+1)*kv.MaxValue, len(next.forward))]
		d.set(forwardKey(d.memory.room(ordinalKeyLen+2), w.Type, next.ordinal, uint16(n)), row)
	}
	for n := rows; n < forwardRows(r.forward); n++ {
		d.delete(forwardKey(nil, w.Type, next.ordinal, uint16(n)))
	}
	return nil
}
