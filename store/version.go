package store

import (
	"tarn/fhir"
	"tarn/fhir/r4"
)

// TxID is the number of a committed transaction of one data store, from 1 on without gaps; 0 is the empty store.
type TxID uint64

// Ordinal is the number of a resource among those of its type, from 0 on without gaps, in the order of first creation.
// It never changes and is never used again.
type Ordinal uint32

// End is above every Ordinal that a resource can have: Scan from 0 to End is a whole type.
const End Ordinal = 1<<32 - 1

// Point is a place in the history of a data store: a transaction and the instant of it, or of a seal upon it.
type Point struct {
	Tx      TxID
	Instant fhir.Instant
}

// Version is one version of one resource.
type Version struct {
	Type    r4.Code
	ID      string
	Ordinal Ordinal
	Tx      TxID         // the transaction that made this version
	FirstTx TxID         // the transaction that made the resource's first version
	Number  uint64       // versionId: 1, 2, ...; deletions count too
	Instant fhir.Instant // meta.lastUpdated
	Deleted bool         // a tombstone: the resource was deleted by Tx
	Erased  bool         // the tombstone is what an erasure has left; one that is seen from before it has the Number 0
	Body    []byte       // the final bytes, id and meta in place; nil if Deleted. Not to be changed.
}

// Change says what a write did to a resource. Its numbers lie on disk.
type Change uint8

// The changes. A re-creation after a deletion is Created with a Number above 1.
const (
	None Change = iota // nothing to do: a deletion of what is not there
	Created
	Updated
	Deleted
)

// erased stands in the table of the dead beside Deleted and Created: from its transaction on the resource is dead, and
// every view of before shows it so too.
const erased Change = 4

// String is the change as a word for logs.
func (c Change) String() string {
	switch c {
	case None:
		return "none"
	case Created:
		return "created"
	case Updated:
		return "updated"
	case Deleted:
		return "deleted"
	}
	return "unknown"
}

// ChangeRow is one row of the change index: transaction Tx changed the resource at Ordinal.
type ChangeRow struct {
	Tx      TxID
	Ordinal Ordinal
	Number  uint64
	Change  Change
}

// Census counts the resources of a type as of a TxID. Those that existed are the ordinals [0, Next) without Dead.
type Census struct {
	Next   Ordinal   // the ordinals below it had been given out
	Dead   []Ordinal // those below Next that were deleted at that time, or have been erased since, ascending
	Erased []Ordinal // those of Dead that existed at that time and have been erased since, ascending
}

// Live is the number of resources that existed.
func (c Census) Live() int { return int(c.Next) - len(c.Dead) }
