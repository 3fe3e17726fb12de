package store

import (
	"cmp"
	"context"
	"slices"

	"tarn/fault"
)

// reindex is the Op of a Reindexed: it changes entries and makes no version.
const reindex Op = 255

// prepared is a write with all that can be made ready before the lock.
type prepared struct {
	*Write
	key     []byte  // in the table of ids
	forward []byte  // joined forward rows
	upload  *upload // where the document went before the commit, or nil
	tx      TxID    // for reindex: the version that the entries are of
}

const aboutRow = 200 // bytes of keys and headers that a write brings, about

// prepare does the work of a transaction that needs no lock: on the caller's time, beside the committer.
func (s *Store) prepare(ctx context.Context, t *Transaction) (*pending, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	p := &pending{ctx: ctx, t: t, writes: make([]prepared, len(t.Writes)), done: make(chan struct{})}
	documents := 0
	for i := range t.Writes {
		w := &p.writes[i]
		w.ready(&t.Writes[i])
		documents += len(w.Resource.Bytes())
		p.size += aboutRow + len(w.Resource.Bytes()) + 3*len(w.forward)
	}
	for i := range t.Riders {
		p.size += len(t.Riders[i].Key) + len(t.Riders[i].Value)
	}
	return p, s.sendLarge(ctx, p, documents)
}

// Prepare does beforehand, on any goroutine, what Commit would do with the entries; it may be left out. After it Entries
// is the caller's again, values too, and ID, Type, Op and Epoch must not be changed.
func (w *Write) Prepare() {
	ahead := &prepared{}
	ahead.ready(w)
	ahead.Write = nil
	w.Entries, w.ahead = nil, ahead
}

func (w *prepared) ready(from *Write) {
	if from.ahead != nil {
		*w = *from.ahead
		w.Write = from
		return
	}
	w.Write = from
	w.key = idKey(make([]byte, 0, 3+len(from.ID)), from.Type, from.ID)
	if from.hasBody() {
		w.forward = appendForward(normalEntries(from.Entries), from.Epoch)
	}
}

// sendLarge uploads the documents that would make the commit's batch too large: those over uploadOver, and the largest
// others while more than takeAlong remains.
func (s *Store) sendLarge(ctx context.Context, p *pending, documents int) error {
	var large []*prepared
	for i := range p.writes {
		if w := &p.writes[i]; len(w.Resource.Bytes()) > uploadOver || documents > takeAlong && w.hasBody() {
			large = append(large, w)
		}
	}
	if large == nil {
		return nil
	}
	slices.SortStableFunc(large, func(a, b *prepared) int { return cmp.Compare(len(b.Resource.Bytes()), len(a.Resource.Bytes())) })
	n := 0
	for ; n < len(large); n++ {
		size := len(large[n].Resource.Bytes())
		if size <= uploadOver && documents <= takeAlong {
			break
		}
		documents -= size
		p.size -= size
	}
	if err := s.send(ctx, large[:n]); err != nil {
		s.release(ctx, p)
		return fault.Wrap("store.Commit", err)
	}
	return nil
}
