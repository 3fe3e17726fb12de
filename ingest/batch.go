package ingest

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/store"
)

// Bounds of a batch that is gathered from pieces while no interactive write waits.
const (
	batchLines = 1000
	batchBytes = 4 << 20
)

// batch is what commits at once: the resources of some lines of one file, and what is wrong with others among them.
type batch struct {
	writes   []store.Write
	places   []linePlace // of each write
	failures []failure
	told     int // bytes of the failures' texts
	noted    int // bytes of what is told of what was tolerated
	bytes    int // of the resources
	scanned  int64
	line     int64 // the last line read
	offset   int64 // behind it
	last     bool  // the file ends here
	err      error // of the source; nothing comes after it
	held     int64 // of the reader's room, to be given back when the batch is committed
}

// linePlace is where a line stands in its file.
type linePlace struct {
	line int64  // from 1
	end  int64  // offset behind it
	told []byte // what was tolerated in it, for the log; nil: nothing was
}

// fail notes that a line cannot be stored.
func (b *batch) fail(f failure) {
	b.failures = insert(b.failures, f)
	b.told += len(f.text)
}

// has reports whether the batch writes the same resource already.
func (b *batch) has(w store.Write) bool {
	for i := range b.writes {
		if b.writes[i].ID == w.ID && b.writes[i].Type == w.Type {
			return true
		}
	}
	return false
}

// names are the resources that a batch writes. Two lines with one id never share a transaction: the later wins.
type names map[resource]struct{}

// take reports whether none of the batch's resources was there before, and adds them if so.
func (n names) take(b *batch) bool {
	for i := range b.writes {
		if _, twice := n[resource{b.writes[i].Type, b.writes[i].ID}]; twice {
			return false
		}
	}
	for i := range b.writes {
		n[resource{b.writes[i].Type, b.writes[i].ID}] = struct{}{}
	}
	return true
}

// fits reports whether what follows a batch may be added to it.
func (b *batch) fits(next *batch) bool {
	return b.err == nil && !b.last && len(b.failures)+len(next.failures) <= maxFailures && b.told+next.told <= maxLogPiece &&
		b.noted+next.noted <= maxNoted
}

// gather adds to a piece what is ready behind it, up to the bounds of a batch and as long as go-on says so.
func gather(b *batch, from *supply, goOn func() bool) {
	ids := names{}
	ids.take(b)
	for b.err == nil && !b.last && len(b.writes) < batchLines && b.bytes < batchBytes && goOn() {
		next, ok := from.ready()
		if !ok {
			return
		}
		if !b.fits(next) || !ids.take(next) {
			from.giveBack(next)
			return
		}
		b.add(next)
	}
}

// add appends what follows a batch.
func (b *batch) add(next *batch) {
	b.writes, b.places = append(b.writes, next.writes...), append(b.places, next.places...)
	b.failures = append(b.failures, next.failures...)
	b.told += next.told
	b.noted += next.noted
	b.bytes += next.bytes
	b.scanned += next.scanned
	b.held += next.held
	b.line, b.offset, b.last, b.err = next.line, next.offset, next.last, next.err
}

// halve divides a batch of several writes in two that follow each other in the file.
func (b *batch) halve() (first, second *batch) {
	k := len(b.writes) / 2
	at := b.places[k-1]
	n, _ := slices.BinarySearchFunc(b.failures, at.line, func(f failure, line int64) int { return cmp.Compare(f.line, line) })
	first = &batch{writes: b.writes[:k:k], places: b.places[:k:k], line: at.line, offset: at.end, scanned: int64(k + n)}
	second = &batch{writes: b.writes[k:], places: b.places[k:], line: b.line, offset: b.offset, scanned: b.scanned - int64(k+n), last: b.last, err: b.err}
	for i, f := range b.failures {
		if i < n {
			first.fail(f)
		} else {
			second.fail(f)
		}
	}
	for _, half := range []*batch{first, second} {
		for i := range half.writes {
			half.bytes += len(half.writes[i].Resource.Bytes())
		}
	}
	return first, second
}

type resource struct {
	typ r4.Code
	id  string
}

// behind is the place that is reached by a batch, and the riders that keep its failures. The end of a file is reached in
// the same commit as its last line.
func (p place) behind(jobID string, b *batch) (next place, riders []store.Rider) {
	next = p
	next.Line, next.Offset = b.line, b.offset
	next.Failed += int64(len(b.failures))
	next.Total.Scanned += b.scanned
	next.Total.Imported += int64(len(b.writes))
	next.Total.Failed += int64(len(b.failures))
	next.Total.Bytes += b.offset - p.Offset
	for i := range b.writes {
		next.Total.ImportedBytes += int64(len(b.writes[i].Resource.Bytes()))
	}
	pieces, size := logPieces(b.failures, maxLog-p.LogBytes)
	for n, piece := range pieces {
		riders = append(riders, store.Rider{Key: pieceKey(jobID, p.File, p.Pieces+n), Value: piece})
	}
	next.Pieces += len(pieces)
	next.LogBytes += size
	stored := p.stored(jobID, b)
	next.Successes += len(stored.cuts)
	next.Told += stored.size
	if b.last {
		next = next.nextFile()
	}
	return next, riders
}

// commit applies a batch with the place that is reached by it. A write that the store refuses becomes a failure, and the
// others go on without it.
func commit(ctx context.Context, st *store.Store, jobID string, at place, b *batch) (place, error) {
	for {
		next, riders := at.behind(jobID, b)
		t := at.to(jobID, &next, riders)
		t.Writes, t.Report = b.writes, at.stored(jobID, b).riders
		_, err := st.Commit(ctx, t)
		var refused *store.WriteError
		switch {
		case err == nil:
			return next, nil
		case !errors.As(err, &refused) && fault.Is(err, fault.TooLarge) && len(b.writes) == 1:
			refused = &store.WriteError{Err: err} // its entries in the index need more than one transaction holds
		case !errors.As(err, &refused) && fault.Is(err, fault.TooLarge) && len(b.writes) > 1:
			// What the lines replace is large: it goes to history in the same transaction.
			first, second := b.halve()
			if at, err = commit(ctx, st, jobID, at, first); err != nil {
				return at, err
			}
			b = second
			continue
		case !errors.As(err, &refused) || refused.Write < 0 || refused.Write >= len(b.writes):
			return at, errOvertaken(err)
		}
		i := refused.Write
		b.fail(failureOf(b.places[i].line, refused.Err))
		b.writes = slices.Delete(b.writes, i, i+1)
		b.places = slices.Delete(b.places, i, i+1)
	}
}
