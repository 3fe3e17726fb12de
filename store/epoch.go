package store

import (
	"bytes"
	"context"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// An epoch names the tables by which index entries were made. Each forward row carries that of its own entries; the
// rider below says by which epoch the whole data store is indexed. The first transaction of a data store writes it, and
// a reindex job when it has brought every current version up to date. Where there is none, it is 0: the data store was
// written before there was an index. A program of another epoch that writes makes it Mixed in the same commit, so that
// no program takes for its own what another one wrote meanwhile, whichever comes next.

var epochRider = []byte("store/index-epoch")

// Mixed is the IndexEpoch of a data store in which programs of several epochs have written. It is no program's.
const Mixed = ^uint32(0)

// IndexEpochRider is the rider that makes epoch the data store's IndexEpoch. It goes with the last step of a work that
// has left no current version with entries of another epoch, while everybody who writes uses that one.
func IndexEpochRider(epoch uint32) Rider {
	return Rider{Key: epochRider, Value: be.AppendUint32(nil, epoch)}
}

// first adds the riders of a data store's first transaction, and of the first of this Store.
func (s *Store) first(ctx context.Context, r kv.Reader, base *head) ([]Rider, error) {
	switch {
	case s.epoch == 0:
		return nil, nil
	case base.tx == 0:
		return []Rider{IndexEpochRider(s.epoch)}, nil
	case s.marked:
		return nil, nil
	}
	switch epoch, err := readEpoch(ctx, r); {
	case err != nil:
		return nil, err
	case epoch != s.epoch && epoch != Mixed:
		return []Rider{IndexEpochRider(Mixed)}, nil
	}
	return nil, nil
}

// IndexEpoch is the epoch by which all current versions are indexed as of the newest commit, or Mixed. Where it is not
// Options.Epoch, searches may find too little until the data store has been indexed anew. That of an empty data store is
// Options.Epoch.
func (s *Store) IndexEpoch(ctx context.Context) (uint32, error) {
	v, err := s.view(ctx)
	if err != nil {
		return 0, fault.Wrap("store.IndexEpoch", err)
	}
	epoch, err := v.IndexEpoch(ctx)
	return epoch, closeAll(err, v.Close())
}

// IndexEpoch is that of the Store as of the view's snapshot.
func (v *View) IndexEpoch(ctx context.Context) (uint32, error) {
	if v.head.tx == 0 {
		return v.epoch, nil
	}
	epoch, err := readEpoch(ctx, v.r)
	return epoch, fault.Wrap("store.IndexEpoch", err)
}

func readEpoch(ctx context.Context, r kv.Reader) (uint32, error) {
	key := riderKey(nil, epochRider)
	values, err := r.Get(ctx, key)
	switch {
	case err != nil:
		return 0, err
	case values[0] == nil:
		return 0, nil
	case len(values[0]) != 4:
		return 0, broken("index epoch", key)
	}
	return be.Uint32(values[0]), nil
}

// ErrIndexing says that the index does not know everything yet; it is fault.Unavailable.
var ErrIndexing = &fault.Error{Op: "store.Indexed", Kind: fault.Unavailable, Hint: "Repeat the request later.",
	Msg: "The data store is being indexed anew; until that has ended, a search may miss what is there."}

// Indexed is ErrIndexing where not all current versions are indexed by the tables of an epoch: what relies on finding
// everything by the index must not begin.
func (v *View) Indexed(ctx context.Context, epoch uint32) error {
	switch now, err := v.IndexEpoch(ctx); {
	case err != nil:
		return err
	case now != epoch:
		return ErrIndexing
	}
	return nil
}

// OfEpoch are the ordinals in [from, to) whose current entries are of the epoch, as of the view's snapshot, ascending.
// The others are deleted, or were indexed by another one.
func (v *View) OfEpoch(ctx context.Context, typ r4.Code, epoch uint32, from, to Ordinal) ([]Ordinal, error) {
	const op = "store.OfEpoch"
	var found []Ordinal
	it := v.r.Scan(ctx, span(tableForward, typ, from, to))
	defer func() { _ = it.Close() }()
	for it.Next() {
		key, value := it.Key(), it.Value()
		if len(key) != ordinalKeyLen+2 {
			return nil, fault.Wrap(op, broken("forward row", bytes.Clone(key)))
		}
		if be.Uint16(key[ordinalKeyLen:]) > 0 {
			continue // of a row that began before
		}
		if len(value) < forwardHeaderLen {
			return nil, fault.Wrap(op, broken("forward row", bytes.Clone(key)))
		}
		if be.Uint32(value[3:]) == epoch {
			found = append(found, ordinalOf(key))
		}
	}
	return found, fault.Wrap(op, it.Err())
}
