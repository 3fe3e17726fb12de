// Package kv is the contract of an ordered key-value engine: what the store, the ledger and the accounts need, and no
// more. kv/pebble is the embedded engine, kv/postgres speaks to PostgreSQL; kv/kvtest proves that both keep it.
package kv

import (
	"context"
	"iter"

	"tarn/fault"
)

// Bounds that every engine keeps; what is over them is refused with fault.TooLarge before anything is written.
const (
	MaxKey   = 1 << 10  // bytes of a key; a key is never empty
	MaxValue = 1 << 20  // bytes of a value; a value may be empty, which is not the same as absent
	MaxBatch = 16 << 20 // bytes of keys and values in one Batch
)

// ErrUntouched is in the chain of an engine's error after which surely nothing was written, such as the refusal to write
// to a disk that is nearly full.
var ErrUntouched error = &fault.Error{Op: "kv", Kind: fault.Unavailable, Msg: "nothing was written"}

// Engine holds named spaces. It is safe for concurrent use.
type Engine interface {
	// Open returns the space, making it durably if it is not there. Opening it again returns the same space.
	// A name is 1 to 63 of a-z, 0-9, '-' and '_'; anything else is fault.Invalid.
	Open(ctx context.Context, name string) (Space, error)
	// Drop deletes a space and all that is in it, durably when it returns. Work under way in it fails with fault.Gone,
	// as does later use of it. Dropping what is not there is no error.
	Drop(ctx context.Context, name string) error
	// Spaces lists the names in ascending order.
	Spaces(ctx context.Context) ([]string, error)
	// Close waits for running updates and loads and frees everything. Snapshots and iterators must be closed before.
	// Later use of the engine and of its spaces fails with fault.Gone; a second Close does nothing.
	Close() error
}

// Space is one ordered set of keys and values, sorted bytewise. It is safe for concurrent use.
type Space interface {
	// Snapshot is the space as it is now; later commits do not show in it. Whoever takes it closes it. A commit that is
	// still on its way to the disk may show: who must not act on what a power failure can take back reads as of the
	// last commit that Update has confirmed. An engine may bound how many are open at a time; who comes then waits, so
	// nobody should hold one while waiting for another.
	Snapshot(ctx context.Context) (Snapshot, error)

	// Update takes the lock keys (in one global order, so that callers cannot deadlock), fairly: callers that wait
	// for a key get it in the order in which they asked. fn sees the newest committed state, its values of the lock
	// keys first; the batch that it returns is applied atomically and is durable when Update returns nil. The locks
	// are held until then. A lock key need not exist. fn may return a nil batch, and nothing is written; if it
	// returns an error, nothing is written and Update returns that error as it is. fn is called at most once; it
	// reads through tx only and must not call anything else of the engine. The batch may be one of sorted bulk data (see
	// Bulk). When ctx ends while waiting, Update returns
	// its error and nothing is written.
	// After an error of the engine itself the batch may or may not have been applied (fault.Unavailable), unless
	// ErrUntouched is in its chain.
	Update(ctx context.Context, lock [][]byte, fn func(tx Locked) (*Batch, error)) error

	// Load writes sorted bulk data: keys strictly ascending (else fault.Invalid), replacing what stands under them.
	// All of it appears at once and is durable when Load returns nil; none of it otherwise. No total size bound
	// holds. The caller keeps other writers away from the same keys. An error that seq yields ends the load and is
	// returned as it is. seq may use the slices of an entry again once it is asked for the next one.
	Load(ctx context.Context, seq iter.Seq2[Entry, error]) error

	// Compact takes what was deleted or replaced within the ranges out of the engine's files: bytes that an Update or Load
	// which returned before the call has made invisible are in none of them when it returns nil. It waits for the
	// snapshots that were open before the call, which may need them. An engine that leaves its files to a database can
	// only have their place freed to be written over (kv/postgres). Others read and write meanwhile; it takes as long as
	// to rewrite what overlaps the ranges. An error says that bytes may be left; it may be repeated.
	Compact(ctx context.Context, ranges ...Range) error

	// Size is about how many bytes the space takes on disk.
	Size(ctx context.Context) (int64, error)
}

// Entry is one key and its value.
type Entry struct{ Key, Value []byte }

// Reader reads one consistent state.
type Reader interface {
	// Get returns the values of keys in their order, in one round trip; nil where a key is absent, empty and not nil
	// where the value is empty. The values belong to the caller.
	Get(ctx context.Context, keys ...[]byte) ([][]byte, error)
	// Scan iterates over a range in key order. Whoever takes the iterator closes it.
	Scan(ctx context.Context, r Range) Iterator
}

// Snapshot is a Reader of one state. It is safe for concurrent use.
type Snapshot interface {
	Reader
	// Close frees it; a second Close does nothing. Its iterators must be closed before.
	Close() error
}

// Locked is the state that an Update shows: a Reader of the newest committed state, and the values of the lock keys in
// the order in which they were given (nil where absent). It is valid only inside fn and for one goroutine.
type Locked struct {
	Reader
	Values [][]byte
}

// Range is a half-open interval of keys [Start, End). A nil Start begins at the first key, a nil End never ends.
type Range struct {
	Start, End []byte
	Reverse    bool // from the last key of the range down to its first
	KeysOnly   bool // Value is not needed (it may be nil), so that an engine can spare the work
}

// Prefix is the range of all keys that begin with p.
func Prefix(p []byte) Range { return Range{Start: p, End: PrefixEnd(p)} }

// PrefixEnd is the first key after all that begin with p, or nil where there is none.
func PrefixEnd(p []byte) []byte {
	for i := len(p) - 1; i >= 0; i-- {
		if p[i] != 0xff {
			end := append([]byte(nil), p[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}

// Iterator walks over a range; for one goroutine. It starts before the first entry:
//
//	for it.Next() { use(it.Key(), it.Value()) }
//	err := errors.Join(it.Err(), it.Close())
type Iterator interface {
	// Next moves to the next entry in the range's direction; false at its end or after an error.
	Next() bool
	// Seek moves to the first entry at or after key in the range's direction (at or before it when Reverse), within
	// the range. It never moves back: where the iterator stands at or beyond key already, it stays. It reports whether
	// there is an entry, as Next does; after the end there is none any more.
	Seek(key []byte) bool
	// Reset begins anew over another range of the same state, wherever that lies, as another Scan would, but for less: who
	// looks into many ranges takes one iterator. What it was given before may be used again. An error stays.
	Reset(r Range)
	// Key and Value are valid until the next move; they must not be changed.
	Key() []byte
	Value() []byte
	// Err is the error that ended the iteration, or nil. An ended context ends it.
	Err() error
	// Close frees it; a second Close does nothing.
	Close() error
}
