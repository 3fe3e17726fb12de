package store

import (
	"context"
	"fmt"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Bounds of a transaction; what is over them is refused with fault.TooLarge.
const (
	MaxDocument = 16 << 20 // bytes of one resource before it is stamped
	MaxRiderKey = 512      // bytes of a rider's key
)

// Op is what a Write does.
type Op uint8

// The kinds of write.
const (
	Create Op = iota + 1 // the id must never have been used in this type, else fault.Exists
	Put                  // creates, updates, or creates again after a deletion
	Delete               // leaves a tombstone; of what is not there: Change None
	Erase                // takes all versions from sight and leaves a tombstone, also of what is deleted; see Store.Erase
)

// Write is one change of one resource.
type Write struct {
	Op       Op
	Type     r4.Code
	ID       string        // given by the caller, for Create too
	Resource fhir.Resource // for Create and Put; id, versionId and lastUpdated are stamped into a copy

	// IfMatch, unless 0, must be the Number of the live current version; IfNoneMatch (*) demands that there is none.
	// Else fault.Precondition.
	IfMatch     uint64
	IfNoneMatch bool

	Entries []Entry // all index entries of the new version, in any order; ignored for Delete and Erase
	Epoch   uint32  // of the tables that made Entries

	ahead  *prepared // by Prepare
	staged TxID      // of an Erase: the version whose row stands in the history already
	seen   TxID      // of an Erase: the version that must be the current one; 0: whichever
}

// hasBody reports whether the write brings a resource.
func (w *Write) hasBody() bool { return w.Op != Delete && w.Op != Erase }

// Guard is a condition over search results that must still hold when the transaction commits. Check has been found
// true as of AsOf by the caller; if one of Types (none given: any type) changed since, Check runs again under the
// commit lock with a View of the newest state, and its error fails the transaction. Check must be quick, must use v for
// nothing after it returned, from its own goroutine only, and must not call the Store.
type Guard struct {
	Types []r4.Code
	AsOf  TxID
	Check func(ctx context.Context, v *View) error
}

// Rider is a row of the caller's own that commits with the transaction: a checkpoint, an idempotency key, an outbox
// row. A nil Value deletes it; an empty one is kept. Of two riders with one key the later wins.
type Rider struct{ Key, Value []byte }

// Transaction is what Commit applies, all or nothing. It names each resource once. The Store reads everything in it,
// the resources' bytes too, until Commit returns.
type Transaction struct {
	Writes []Write
	Guards []Guard
	Riders []Rider
	Bulk   bool // an import: let interactive transactions go first

	// Once are keys of riders none of which may be there yet, else the transaction fails with ErrDone: of all transactions
	// with one key one commits. It is the caller's to write those riders, with Riders or Report.
	Once [][]byte
	// Given, unless nil, is a rider that must be there with exactly this value, or not be there where the value is nil,
	// else the transaction fails with ErrStale: whoever goes on from a place that rides along does not go on from a former one.
	Given *Rider
	// Report, unless nil, gives further riders from the results of the writes. It is called under the commit lock and
	// must be quick and call nothing of the Store; it may be called again, with other results, when the commit has to be
	// planned anew.
	Report func([]Result) []Rider
}

// ErrDone says that a rider of Transaction.Once is there: the transaction was committed before. Its kind is fault.Exists.
var ErrDone error = &fault.Error{Op: "store.Commit", Kind: fault.Exists, Msg: "the transaction was committed before"}

// ErrStale says that the rider Transaction.Given is another: somebody else went on meanwhile. Its kind is fault.Conflict.
var ErrStale error = &fault.Error{Op: "store.Commit", Kind: fault.Conflict, Msg: "somebody else went on meanwhile"}

// Result tells what a Write did. For Change None the Version is the standing tombstone, or bare Type and ID.
type Result struct {
	Version
	Change Change
}

// WriteError is the failure of one write, and so of its transaction. Err carries the fault: Exists, Precondition,
// Invalid or TooLarge.
type WriteError struct {
	Write int // index into Transaction.Writes
	Err   error
}

// Error is that of Err.
func (e *WriteError) Error() string { return e.Err.Error() }

// Unwrap is Err.
func (e *WriteError) Unwrap() error { return e.Err }

type resourceKey struct {
	typ r4.Code
	id  string
}

// check refuses what could never be applied, before anything waits for a lock.
func (t *Transaction) check() error {
	const op = "store.Commit"
	var seen map[resourceKey]struct{}
	if len(t.Writes) > 1 {
		seen = make(map[resourceKey]struct{}, len(t.Writes))
	}
	for i := range t.Writes {
		w := &t.Writes[i]
		if err := w.check(); err != nil {
			return &WriteError{Write: i, Err: err}
		}
		if seen != nil {
			seen[resourceKey{w.Type, w.ID}] = struct{}{}
			if len(seen) != i+1 {
				return &WriteError{Write: i, Err: fault.Errorf(fault.Invalid, op,
					"%s/%s is written more than once in one transaction", w.Type, w.ID)}
			}
		}
	}
	for i := range t.Guards {
		if t.Guards[i].Check == nil {
			return fault.Errorf(fault.Invalid, op, "a guard has no check")
		}
	}
	for i := range t.Riders {
		if err := t.Riders[i].check(); err != nil {
			return err
		}
	}
	if t.Given != nil {
		if err := t.Given.check(); err != nil {
			return err
		}
	}
	for _, key := range t.Once {
		if err := (&Rider{Key: key}).check(); err != nil {
			return err
		}
	}
	return nil
}

func (w *Write) check() error {
	const op = "store.Commit"
	switch {
	case !w.Type.Valid():
		return fault.Errorf(fault.Invalid, op, "%d is no resource type", w.Type)
	case !fhir.ValidID(w.ID):
		return fault.Errorf(fault.Invalid, op, "%q is no FHIR id: 1 to 64 of A-Z, a-z, 0-9, '-' and '.'", clip(w.ID))
	case w.IfMatch != 0 && w.IfNoneMatch:
		return fault.Errorf(fault.Invalid, op, "a write cannot ask for a version and for none at once")
	case !w.hasBody():
		return nil
	case w.Op != Create && w.Op != Put:
		return fault.Errorf(fault.Invalid, op, "%d is no kind of write", w.Op)
	case w.Resource.Code() != w.Type:
		return fault.Errorf(fault.Invalid, op, "a %s cannot be stored as %s/%s", orNothing(w.Resource.Type()), w.Type, w.ID)
	case len(w.Resource.Bytes()) > MaxDocument:
		return fault.WithHint(fault.Errorf(fault.TooLarge, op, "%s/%s has %d bytes; the limit is %d",
			w.Type, w.ID, len(w.Resource.Bytes()), MaxDocument), "keep large content outside and refer to it by URL")
	}
	return nil
}

func (r *Rider) check() error {
	const op = "store.Commit"
	switch {
	case len(r.Key) == 0:
		return fault.Errorf(fault.Invalid, op, "a rider has no key")
	case len(r.Key) > MaxRiderKey:
		return fault.Errorf(fault.TooLarge, op, "a rider's key has %d bytes; the limit is %d", len(r.Key), MaxRiderKey)
	case len(r.Value) > maxRiderValue:
		return fault.Errorf(fault.TooLarge, op, "a rider has %d bytes; the limit is %d", len(r.Value), maxRiderValue)
	}
	return nil
}

func clip(s string) string {
	if len(s) > 80 {
		return fmt.Sprintf("%s...", s[:80])
	}
	return s
}

func orNothing(typ string) string {
	if typ == "" {
		return "resource without a type"
	}
	return typ
}
