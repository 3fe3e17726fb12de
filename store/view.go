package store

import (
	"bytes"
	"context"
	"errors"
	"sync"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// View is a data store as of one transaction: its answers never change. It holds a snapshot of the engine until Close.
// It is safe for concurrent use, but for the one that a Guard is given.
type View struct {
	r    kv.Reader
	snap kv.Snapshot // nil for a guard's
	head *head       // of the snapshot; head.tx >= tx
	tx   TxID

	pin TxID // it sees through veils above it; 0: through none

	epoch     uint32      // that of the Store
	contended func() bool // that of the Store; nil for a guard's

	mu   sync.Mutex
	next map[r4.Code]Ordinal // first ordinal not given out as of tx, once looked for
}

// At is the data store as of tx: a TxID that the Store gave out, or any before it. A tx that is not committed is
// fault.Invalid. The caller closes the View.
func (s *Store) At(ctx context.Context, tx TxID) (*View, error) {
	const op = "store.At"
	v, err := s.view(ctx)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if tx > v.head.tx {
		newest := v.head.tx
		return nil, closeAll(v.Close(), fault.Errorf(fault.Invalid, op, "transaction %d is not committed; the last is %d", tx, newest))
	}
	v.tx = tx
	return v, nil
}

// Pinned is At for the work of a job that is fixed to tx and holds up purges (see Erase): it shows also what has been
// erased since, until that is purged.
func (s *Store) Pinned(ctx context.Context, tx TxID) (*View, error) {
	v, err := s.At(ctx, tx)
	if v != nil {
		v.pin = tx
	}
	return v, err
}

// Latest is the data store as of its last durable transaction. The caller closes the View.
func (s *Store) Latest(ctx context.Context) (*View, error) {
	v, err := s.view(ctx)
	if err != nil {
		return nil, fault.Wrap("store.Latest", err)
	}
	v.tx = s.confirmed(v.head).Tx
	return v, nil
}

func (s *Store) view(ctx context.Context) (*View, error) {
	snap, err := s.space.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	h, err := readHead(ctx, snap)
	if err != nil {
		return nil, closeAll(err, snap.Close())
	}
	return &View{r: snap, snap: snap, head: h, epoch: s.epoch, contended: s.Contended}, nil
}

// Close frees the snapshot; a second Close does nothing. Scans must be closed before.
func (v *View) Close() error {
	if v.snap == nil {
		return nil
	}
	return fault.Wrap("store.Close", v.snap.Close())
}

// AsOf is the view as of a transaction before it, on the same snapshot: whoever compares two states needs no second one. It
// shows nothing newer than v, is usable until that is closed, and need not be closed itself.
func (v *View) AsOf(tx TxID) *View {
	return &View{r: v.r, head: v.head, tx: min(tx, v.tx), pin: v.pin, epoch: v.epoch, contended: v.contended}
}

// Tx is the transaction as of which the view is.
func (v *View) Tx() TxID { return v.tx }

// Read is the version of a resource as of the view. Where there never was one it is fault.NotFound; where it is deleted,
// fault.Gone with the tombstone.
func (v *View) Read(ctx context.Context, typ r4.Code, id string) (Version, error) {
	const op = "store.Read"
	ordinal, err := v.ordinal(ctx, typ, id)
	if err != nil {
		return Version{}, fault.Wrap(op, err)
	}
	r, err := v.row(ctx, typ, ordinal)
	if err != nil {
		return Version{}, fault.Wrap(op, err)
	}
	if r.tx == 0 {
		return Version{}, notFound(op, typ, id)
	}
	if r.deleted() {
		return r.version(typ, ordinal), gone(op, typ, id, &r)
	}
	return v.load(ctx, op, typ, ordinal, &r)
}

// gone is the error for a tombstone.
func gone(op string, typ r4.Code, id string, r *row) error {
	if r.isErasure() || r.number == 0 {
		return fault.Errorf(fault.Gone, op, "%s/%s was erased", typ, id)
	}
	return fault.Errorf(fault.Gone, op, "%s/%s was deleted", typ, id)
}

// ReadOrdinal is Read by the resource's ordinal.
func (v *View) ReadOrdinal(ctx context.Context, typ r4.Code, ordinal Ordinal) (Version, error) {
	const op = "store.ReadOrdinal"
	r, err := v.row(ctx, typ, ordinal)
	if err != nil {
		return Version{}, fault.Wrap(op, err)
	}
	if r.tx == 0 {
		return Version{}, fault.Errorf(fault.NotFound, op, "there is no %s with the ordinal %d", typ, ordinal)
	}
	if r.deleted() {
		return r.version(typ, ordinal), gone(op, typ, string(r.id), &r)
	}
	return v.load(ctx, op, typ, ordinal, &r)
}

// ReadVersion is the version of a resource with this number, if it is not newer than the view: else fault.NotFound. A
// tombstone is fault.Gone with the tombstone. A version that was erased, or removed by Trim, is fault.Gone with none.
func (v *View) ReadVersion(ctx context.Context, typ r4.Code, id string, number uint64) (Version, error) {
	const op = "store.ReadVersion"
	for found, err := range v.versions(ctx, typ, id, 0, number) {
		if err != nil {
			return Version{}, fault.Wrap(op, err)
		}
		if found.Number != number {
			break
		}
		if found.Erased {
			return found, fault.Errorf(fault.Gone, op, "version %d of %s/%s is its erasure", number, typ, id)
		}
		if found.Deleted {
			return found, fault.Errorf(fault.Gone, op, "version %d of %s/%s is its deletion", number, typ, id)
		}
		return found, nil
	}
	if number > 0 {
		if err := v.former(ctx, typ, id, number); err != nil {
			return Version{}, fault.Wrap(op, err)
		}
	}
	return Version{}, fault.Errorf(fault.NotFound, op, "%s/%s has no version %d", typ, id, number)
}

// Ordinal is the ordinal of a resource that existed as of the view or before, deleted or not; else fault.NotFound.
func (v *View) Ordinal(ctx context.Context, typ r4.Code, id string) (Ordinal, error) {
	const op = "store.Ordinal"
	ordinal, err := v.ordinal(ctx, typ, id)
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	r, err := v.row(ctx, typ, ordinal)
	if err != nil && !errors.Is(err, ErrRemoved) {
		return 0, fault.Wrap(op, err)
	}
	if err == nil && r.tx == 0 {
		return 0, notFound(op, typ, id)
	}
	return ordinal, nil
}

// ordinal looks the id up as of the snapshot.
func (v *View) ordinal(ctx context.Context, typ r4.Code, id string) (Ordinal, error) {
	if len(id) > 64 {
		return 0, notFound("", typ, clip(id))
	}
	key := idKey(nil, typ, id)
	values, err := v.r.Get(ctx, key)
	if err != nil {
		return 0, err
	}
	if values[0] == nil {
		return 0, notFound("", typ, id)
	}
	if len(values[0]) != 4 {
		return 0, broken("id", key)
	}
	return Ordinal(be.Uint32(values[0])), nil
}

// row is the row of a resource as of the view; its tx is 0 where there is none.
func (v *View) row(ctx context.Context, typ r4.Code, ordinal Ordinal) (row, error) {
	key := ordinalKey(nil, tableCurrent, typ, ordinal)
	values, err := v.r.Get(ctx, key)
	if err != nil || values[0] == nil {
		return row{}, err
	}
	var r row
	if !r.parse(values[0]) {
		return row{}, broken("row", key)
	}
	if r.first > v.tx {
		return row{}, nil
	}
	if r.tx <= v.tx {
		return r, nil
	}
	if v.veils(&r) {
		return r.hidden(), nil
	}
	veiled := r
	it := v.r.Scan(ctx, history(typ, ordinal, v.tx))
	defer func() { _ = it.Close() }()
	if !it.Next() {
		if it.Err() == nil && veiled.veil > v.tx {
			return veiled.hidden(), nil // it has been purged
		}
		return row{}, closeAll(it.Err(), broken("history", key))
	}
	if !r.parse(bytes.Clone(it.Value())) {
		return row{}, broken("row", key)
	}
	if r.isFloor() {
		return row{}, removed(typ, string(r.id), v.tx)
	}
	return r, nil
}

// veils reports whether a current row that is newer than the view hides what the view would show.
func (v *View) veils(r *row) bool { return r.veil > v.tx && !v.seesThrough(r.veil) }

func (v *View) seesThrough(veil TxID) bool { return v.pin != 0 && veil > v.pin }

// lowest is the transaction of the oldest version that the view shows, as far as one of the resource's rows tells.
func (v *View) lowest(r *row, known TxID) TxID {
	if v.seesThrough(r.veil) {
		return known
	}
	return max(known, r.veil)
}

// history is the range of a resource's history rows that are not newer than tx, the newest first.
func history(typ r4.Code, ordinal Ordinal, tx TxID) kv.Range {
	r := kv.Range{Start: historyKey(nil, typ, ordinal, tx)}
	r.End = kv.PrefixEnd(r.Start[:ordinalKeyLen])
	return r
}

// load completes a version with its document.
func (v *View) load(ctx context.Context, op string, typ r4.Code, ordinal Ordinal, r *row) (Version, error) {
	version := r.version(typ, ordinal)
	if !r.apart() {
		return version, nil
	}
	var p place
	if !p.parse(r.document) {
		return Version{}, fault.Wrap(op, broken("row", ordinalKey(nil, tableCurrent, typ, ordinal)))
	}
	body, err := p.load(ctx, v.r, nil)
	if err != nil {
		return Version{}, fault.Wrap(op, err)
	}
	version.Body = body
	return version, nil
}

func notFound(op string, typ r4.Code, id string) error {
	return fault.Errorf(fault.NotFound, op, "there is no %s/%s", typ, id)
}
