package kv

import (
	"iter"

	"tarn/fault"
)

// Batch is a list of writes, applied atomically in their order: of two writes to one key the later wins. The zero
// value is empty and ready. It is for one goroutine.
type Batch struct {
	ops  []Op
	size int
	err  error
	bulk iter.Seq2[Entry, error]
}

// Bulk is a batch of sorted bulk data instead of single writes: Update applies it as Space.Load does, without a bound of
// its size, and asks seq for its entries while the locks are held. An error that seq yields is returned as it is, and
// nothing is written. seq keeps the rules of Space.Load, and reads nothing through the Locked that fn was given.
func Bulk(seq iter.Seq2[Entry, error]) *Batch { return &Batch{bulk: seq} }

// Sorted are the entries of a batch made by Bulk; nil for any other.
func (b *Batch) Sorted() iter.Seq2[Entry, error] { return b.bulk }

// IsEmpty reports whether there is nothing to write; a Bulk is never taken for empty.
func (b *Batch) IsEmpty() bool { return b == nil || len(b.ops) == 0 && b.bulk == nil && b.err == nil }

// OpKind says what an Op does.
type OpKind uint8

// The kinds of write.
const (
	OpSet         OpKind = iota + 1
	OpDelete             // Value is nil
	OpDeleteRange        // deletes [Key, Value); a nil Value is after the last key
)

// Op is one write of a Batch.
type Op struct {
	Kind       OpKind
	Key, Value []byte
}

// Set writes value under key. The batch keeps both slices: the caller must not change them afterwards.
func (b *Batch) Set(key, value []byte) { b.add(Op{OpSet, key, value}) }

// Delete removes key; it need not be there.
func (b *Batch) Delete(key []byte) { b.add(Op{OpDelete, key, nil}) }

// DeleteRange removes all keys in [start, end), those set earlier in this batch among them; a nil end is after the last
// key, and an end at or before start removes nothing.
func (b *Batch) DeleteRange(start, end []byte) { b.add(Op{OpDeleteRange, start, end}) }

func (b *Batch) add(op Op) {
	switch {
	case b.err != nil:
		return
	case len(op.Key) == 0:
		b.err = fault.Errorf(fault.Invalid, "kv.Batch", "empty key")
	case len(op.Key) > MaxKey || op.Kind == OpDeleteRange && len(op.Value) > MaxKey:
		b.err = fault.Errorf(fault.TooLarge, "kv.Batch", "key of %d bytes is over the limit of %d", len(op.Key), MaxKey)
	case len(op.Value) > MaxValue:
		b.err = fault.Errorf(fault.TooLarge, "kv.Batch", "value of %d bytes is over the limit of %d", len(op.Value), MaxValue)
	}
	b.ops = append(b.ops, op)
	b.size += len(op.Key) + len(op.Value)
}

// Ops are the writes in their order.
func (b *Batch) Ops() []Op { return b.ops }

// Len is the number of writes.
func (b *Batch) Len() int { return len(b.ops) }

// Size is the bytes of all keys and values.
func (b *Batch) Size() int { return b.size }

// Check reports the first bound that the batch breaks; engines call it before they write.
func (b *Batch) Check() error {
	if b.err == nil && b.size > MaxBatch {
		return fault.Errorf(fault.TooLarge, "kv.Batch", "batch of %d bytes is over the limit of %d", b.size, MaxBatch)
	}
	return b.err
}
