package store

import (
	"encoding/binary"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/kv"
)

// layoutFormat is the format of keys and rows as a whole; it stands in the head.
const layoutFormat = 1

// The tables: the first byte of a key.
const (
	tableCurrent  = 'c' // type ordinal -> current row
	tableLiveness = 'd' // type ordinal tx -> deleted or created again
	tableForward  = 'f' // type ordinal n -> the current row's own index entries
	tableHead     = 'h'
	tableID       = 'i' // type id -> ordinal
	tableBlob     = 'o' // blob n -> bytes of a document that is apart
	tableRider    = 'r' // key -> rider
	tableSearch   = 's' // type param value ordinal -> nothing
	tableInstant  = 't' // instant -> last tx of that instant
	tableUpload   = 'u' // blob -> instant of its upload, until a transaction takes it
	tableHistory  = 'v' // type ordinal ^tx -> superseded version
	tableChange   = 'x' // type tx ordinal -> number and change
)

const maxRiderValue = kv.MaxValue

var headKey = []byte{tableHead}

// be is big endian, so that numbers sort as bytes do.
var be = binary.BigEndian

func typeKey(dst []byte, table byte, typ r4.Code) []byte {
	return be.AppendUint16(append(dst, table), uint16(typ))
}

// ordinalKey is the key in the tables that begin with type and ordinal.
func ordinalKey(dst []byte, table byte, typ r4.Code, ordinal Ordinal) []byte {
	return be.AppendUint32(typeKey(dst, table, typ), uint32(ordinal))
}

func historyKey(dst []byte, typ r4.Code, ordinal Ordinal, tx TxID) []byte {
	return be.AppendUint64(ordinalKey(dst, tableHistory, typ, ordinal), ^uint64(tx))
}

func livenessKey(dst []byte, typ r4.Code, ordinal Ordinal, tx TxID) []byte {
	return be.AppendUint64(ordinalKey(dst, tableLiveness, typ, ordinal), uint64(tx))
}

func forwardKey(dst []byte, typ r4.Code, ordinal Ordinal, n uint16) []byte {
	return be.AppendUint16(ordinalKey(dst, tableForward, typ, ordinal), n)
}

func idKey(dst []byte, typ r4.Code, id string) []byte {
	return append(typeKey(dst, tableID, typ), id...)
}

// changeKey with a tx alone is the start of all changes of that transaction.
func changeKey(dst []byte, typ r4.Code, tx TxID) []byte {
	return be.AppendUint64(typeKey(dst, tableChange, typ), uint64(tx))
}

func instantKey(dst []byte, at fhir.Instant) []byte {
	return be.AppendUint64(append(dst, tableInstant), uint64(at))
}

func riderKey(dst, key []byte) []byte { return append(append(dst, tableRider), key...) }

func blobKey(dst []byte, ref blobRef, n uint16) []byte {
	return be.AppendUint16(append(append(dst, tableBlob), ref[:]...), n)
}

func uploadKey(dst []byte, ref blobRef) []byte { return append(append(dst, tableUpload), ref[:]...) }

const (
	ordinalKeyLen  = 1 + 2 + 4
	historyKeyLen  = ordinalKeyLen + 8
	livenessKeyLen = ordinalKeyLen + 8
	changeKeyLen   = 1 + 2 + 8 + 4
	instantKeyLen  = 1 + 8
)

// ordinalOf reads the ordinal of a key that begins with table, type and ordinal.
func ordinalOf(key []byte) Ordinal { return Ordinal(be.Uint32(key[3:])) }

// span is the range of ordinals [from, to) in a table.
func span(table byte, typ r4.Code, from, to Ordinal) kv.Range {
	return kv.Range{Start: ordinalKey(nil, table, typ, from), End: ordinalKey(nil, table, typ, to)}
}

// broken is the error for bytes on disk that this package cannot have written.
func broken(what string, key []byte) error {
	return fault.Errorf(fault.Internal, "store", "the %s at key %x is damaged", what, key)
}
