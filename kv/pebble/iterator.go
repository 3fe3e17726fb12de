package pebble

import (
	"bytes"
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"tarn/kv"
)

// iterator walks over a range of a snapshot. It is counted inside the space until it is closed.
type iterator struct {
	space   *space
	snap    *snapshot
	it      *pebble.Iterator // nil after Close, or when it could not be made
	ctx     context.Context
	done    <-chan struct{}
	reverse bool
	placed  bool // it stands, or stood, on an entry
	ended   bool
	closed  bool
	err     error
}

// Scan implements kv.Reader.
func (n *snapshot) Scan(ctx context.Context, r kv.Range) kv.Iterator {
	i := &iterator{space: n.space, snap: n, ctx: ctx, done: ctx.Done()}
	i.Reset(r)
	return i
}

// Reset implements kv.Iterator.
func (i *iterator) Reset(r kv.Range) {
	const op = "pebble.Scan"
	if i.err != nil || i.closed {
		return
	}
	i.reverse, i.placed, i.ended = r.Reverse, false, false
	if i.err = i.snap.check(i.ctx, op); i.err != nil {
		return
	}
	if r.End != nil && bytes.Compare(r.Start, r.End) >= 0 {
		i.ended = true
		return
	}
	opts := pebble.IterOptions{UpperBound: r.End}
	if len(r.Start) > 0 {
		opts.LowerBound = r.Start
	}
	if i.it != nil {
		i.it.SetBounds(opts.LowerBound, opts.UpperBound)
		return
	}
	if i.err = i.space.again(op); i.err != nil {
		return
	}
	it, err := i.snap.snap.NewIterWithContext(i.ctx, &opts)
	if err != nil {
		i.err = translate(op, errors.Join(err, i.space.leave(false)))
		return
	}
	i.it = it
}

// ready reports whether the iterator may move.
func (i *iterator) ready() bool {
	if i.err != nil || i.ended || i.it == nil {
		return false
	}
	if i.space.isGone.Load() {
		i.err = errDropped("pebble.Scan")
		return false
	}
	select {
	case <-i.done:
		i.err = i.ctx.Err()
		return false
	default:
		return true
	}
}

// Next implements kv.Iterator.
func (i *iterator) Next() bool {
	if !i.ready() {
		return false
	}
	switch {
	case i.placed && i.reverse:
		return i.moved(i.it.Prev())
	case i.placed:
		return i.moved(i.it.Next())
	case i.reverse:
		return i.moved(i.it.Last())
	default:
		return i.moved(i.it.First())
	}
}

// Seek implements kv.Iterator.
func (i *iterator) Seek(key []byte) bool {
	if !i.ready() {
		return false
	}
	if i.placed {
		if c := bytes.Compare(key, i.it.Key()); c == 0 || c < 0 != i.reverse {
			return true // it is there already, or beyond
		}
	}
	if i.reverse {
		after := append(append(make([]byte, 0, len(key)+1), key...), 0)
		return i.moved(i.it.SeekLT(after))
	}
	if len(key) == 0 {
		return i.moved(i.it.First())
	}
	return i.moved(i.it.SeekGE(key))
}

func (i *iterator) moved(ok bool) bool {
	i.placed = true
	if !ok {
		i.ended = true
		i.err = translate("pebble.Scan", i.it.Error())
	}
	return ok
}

// Key implements kv.Iterator.
func (i *iterator) Key() []byte {
	if i.it == nil || i.ended || !i.placed {
		return nil
	}
	return i.it.Key()
}

// Value implements kv.Iterator.
func (i *iterator) Value() []byte {
	if i.it == nil || i.ended || !i.placed {
		return nil
	}
	v, err := i.it.ValueAndErr()
	if err != nil {
		i.err = translate("pebble.Scan", err)
	}
	return v
}

// Err implements kv.Iterator.
func (i *iterator) Err() error { return i.err }

// Close implements kv.Iterator; a second Close does nothing.
func (i *iterator) Close() error {
	i.closed = true
	if i.it == nil {
		return nil
	}
	it := i.it
	i.it = nil
	// An error of the scan itself stands in Err already.
	err := it.Close()
	if i.err != nil {
		err = nil
	}
	return translate("pebble.Scan", errors.Join(err, i.space.leave(false)))
}
