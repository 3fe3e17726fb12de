package store

import (
	"context"
	"crypto/rand"

	"tarn/fault"
	"tarn/fhir"
	"tarn/kv"
)

// A document over inlineMax lies apart from its row, in blobs of at most kv.MaxValue bytes, so that rows stay small:
// a scan reads few bytes beside them, and an update copies a row into the history, not a document.
//
// A blob that the commit itself writes is named by type, ordinal and tx. What would make a batch too large is uploaded
// before, outside the lock, under a random name; since the version's number and instant are not known then, the bytes
// that depend on them (the stamp) stay in the row. An upload row stands until the transaction takes the blob, so that a
// crash leaves nothing that Sweep would not find. The document part of such a row:
//
//	blob 14 | length of the document 4 | length of what is before the stamp 4 | stamp
const (
	inlineMax  = 64 << 10 // documents up to this size lie in their row
	uploadOver = 1 << 20  // a larger document is always uploaded before the commit
	takeAlong  = 4 << 20  // bytes of documents that a transaction may bring into its batch; the largest others go before
	uploadStep = 8 << 20  // bytes of blobs in one batch of an upload
)

type blobRef [14]byte

const apartLen = len(blobRef{}) + 4 + 4

// place tells where the bytes of a document that is apart are.
type place struct {
	ref    blobRef
	length int // of the whole document
	before int // bytes of the blob before the stamp
	stamp  []byte
}

func (p *place) append(dst []byte) []byte {
	dst = append(dst, p.ref[:]...)
	dst = be.AppendUint32(dst, uint32(p.length))
	dst = be.AppendUint32(dst, uint32(p.before))
	return append(dst, p.stamp...)
}

func (p *place) parse(document []byte) bool {
	if len(document) < apartLen {
		return false
	}
	copy(p.ref[:], document)
	p.length = int(be.Uint32(document[14:]))
	p.before = int(be.Uint32(document[18:]))
	p.stamp = document[apartLen:]
	return p.before+len(p.stamp) <= p.length
}

func ownRef(key []byte, tx TxID) (ref blobRef) {
	copy(ref[:], key[1:ordinalKeyLen]) // type and ordinal
	be.PutUint64(ref[6:], uint64(tx))
	return ref
}

// randomRef begins with ff ff, which no type does.
func randomRef() (ref blobRef) {
	_, _ = rand.Read(ref[:]) // never fails
	ref[0], ref[1] = 0xff, 0xff
	return ref
}

// load appends the document to dst.
func (p *place) load(ctx context.Context, r kv.Reader, dst []byte) ([]byte, error) {
	size := p.length - len(p.stamp)
	keys := make([][]byte, 0, size/kv.MaxValue+1)
	for n := 0; n*kv.MaxValue < size; n++ {
		keys = append(keys, blobKey(nil, p.ref, uint16(n)))
	}
	values, err := r.Get(ctx, keys...)
	if err != nil {
		return nil, err
	}
	if cap(dst)-len(dst) < p.length {
		dst = append(make([]byte, 0, len(dst)+p.length), dst...)
	}
	read, stamped := 0, len(p.stamp) == 0
	for i, v := range values {
		if want := min(kv.MaxValue, size-i*kv.MaxValue); len(v) != want {
			return nil, broken("blob", keys[i])
		}
		if !stamped && p.before <= read+len(v) {
			cut := p.before - read
			dst = append(append(dst, v[:cut]...), p.stamp...)
			read, v, stamped = read+cut, v[cut:], true
		}
		read, dst = read+len(v), append(dst, v...)
	}
	return dst, nil
}

// upload is a document whose bytes, but for the stamp, were written before the commit.
type upload struct {
	ref           blobRef
	before, after int // bytes before and after the stamp
}

// cutStamp renders the document twice, with stamps that differ in their first and last places, and finds what stays.
func cutStamp(w *Write) (blob []byte, u upload) {
	const first, last = fhir.Instant(0), maxInstant // 1970-01-01T00:00:00.000Z, 9999-12-31T23:59:59.999Z
	blob = w.Resource.AppendStamped(nil, w.ID, 1, first)
	other := w.Resource.AppendStamped(nil, w.ID, 2, last)
	n := len(blob)
	for u.before < n && blob[u.before] == other[u.before] {
		u.before++
	}
	for u.after < n-u.before && blob[n-1-u.after] == other[n-1-u.after] {
		u.after++
	}
	return append(blob[:u.before], blob[n-u.after:]...), u
}

// place finds the stamp of the final document.
func (u *upload) place(final []byte) place {
	return place{ref: u.ref, length: len(final), before: u.before, stamp: final[u.before : len(final)-u.after]}
}

// send writes the blobs of documents into batches of their own. Each has an upload row until a transaction takes it. Every
// batch brings that row along: one that fails, and is applied by the engine when the upload has been given up already, leaves
// nothing that Sweep would not find.
func (s *Store) send(ctx context.Context, writes []*prepared) error {
	batch, now := &kv.Batch{}, s.now()
	flush := func() error {
		if batch.Len() == 0 {
			return nil
		}
		b := batch
		batch = &kv.Batch{}
		return s.space.Update(ctx, nil, func(kv.Locked) (*kv.Batch, error) { return b, nil })
	}
	for _, w := range writes {
		blob, u := cutStamp(w.Write)
		if stamp := w.Resource.StampedSize(w.ID, 1<<63, 0) - len(blob); stamp > inlineMax {
			return fault.Errorf(fault.TooLarge, "store.Commit", "%s/%s is large and has %d bytes within its meta; at most %d can be kept",
				w.Type, w.ID, stamp, inlineMax)
		}
		u.ref = randomRef()
		w.upload = &u
		s.uploads.begin(u.ref)
		for n := 0; len(blob) > 0; n++ {
			if n == 0 || batch.Len() == 0 {
				batch.Set(uploadKey(nil, u.ref), be.AppendUint64(nil, uint64(now)))
			}
			size := min(kv.MaxValue, len(blob))
			batch.Set(blobKey(nil, u.ref, uint16(n)), blob[:size])
			blob = blob[size:]
			if batch.Size() > uploadStep {
				if err := flush(); err != nil {
					return err
				}
			}
		}
	}
	return flush()
}
