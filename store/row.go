package store

import (
	"tarn/fhir"
	"tarn/fhir/r4"
)

// rowFormat is the format of current and history rows, the first byte of each:
//
//	format 1 | flags 1 | len(id) 1 | tx 8 | first tx 8 | number 8 | instant 8 | id | veil 8, if veiled | document
//
// The document is the final bytes; or, if it is apart, where they are (see apart.go); a tombstone has none.
const rowFormat = 1

const (
	rowDeleted = 1 << iota
	rowApart
	rowVeiled // what is below the veil was erased; the tombstone at the veil is the erasure itself
	rowFloor  // no version: older ones were removed (see trim.go)

	rowFlags = rowDeleted | rowApart | rowVeiled | rowFloor // all that are known
)

const rowHeaderLen = 3 + 4*8

// row is a current or history row taken apart; its slices are those of the value.
type row struct {
	flags     byte
	tx, first TxID
	number    uint64
	instant   fhir.Instant
	id        []byte
	veil      TxID // 0: none
	document  []byte
}

func (r *row) deleted() bool { return r.flags&rowDeleted != 0 }
func (r *row) apart() bool   { return r.flags&rowApart != 0 }
func (r *row) isFloor() bool { return r.flags&rowFloor != 0 }

// isErasure reports whether the row is the tombstone that an erasure has left.
func (r *row) isErasure() bool { return r.deleted() && r.veil != 0 && r.veil == r.tx }

// setVeil lays a veil over what is below tx; 0 is none.
func (r *row) setVeil(tx TxID) {
	if r.veil = tx; tx != 0 {
		r.flags |= rowVeiled
	}
}

// headerLen is the length of everything before the document.
func (r *row) headerLen() int {
	if r.veil != 0 {
		return rowHeaderLen + len(r.id) + 8
	}
	return rowHeaderLen + len(r.id)
}

// rowTx is the transaction of a row without the rest; 0 if the row is too short.
func rowTx(value []byte) TxID {
	if len(value) < rowHeaderLen {
		return 0
	}
	return TxID(be.Uint64(value[3:]))
}

// rowFirst is the transaction that made the resource of a row.
func rowFirst(value []byte) TxID {
	if len(value) < rowHeaderLen {
		return 0
	}
	return TxID(be.Uint64(value[11:]))
}

// rowVeil is the veil of a row without the rest; false if it is none.
func rowVeil(value []byte) (TxID, bool) {
	if len(value) < rowHeaderLen || len(value) < rowHeaderLen+int(value[2]) {
		return 0, false
	}
	if value[1]&rowVeiled == 0 {
		return 0, true
	}
	rest := value[rowHeaderLen+int(value[2]):]
	if len(rest) < 8 {
		return 0, false
	}
	return TxID(be.Uint64(rest)), true
}

// hidden is what a view of before the erasure shows instead of the version that was there.
func (r *row) hidden() row { return row{flags: rowDeleted, tx: r.first, first: r.first, id: r.id} }

// parse reads a row; false if it is none.
func (r *row) parse(value []byte) bool {
	if len(value) < rowHeaderLen || value[0] != rowFormat || value[1]&^rowFlags != 0 || len(value) < rowHeaderLen+int(value[2]) {
		return false
	}
	r.flags = value[1]
	r.tx = TxID(be.Uint64(value[3:]))
	r.first = TxID(be.Uint64(value[11:]))
	r.number = be.Uint64(value[19:])
	r.instant = fhir.Instant(be.Uint64(value[27:]))
	end := rowHeaderLen + int(value[2])
	r.id, r.veil = value[rowHeaderLen:end:end], 0
	if r.flags&rowVeiled != 0 {
		if len(value) < end+8 {
			return false
		}
		r.veil = TxID(be.Uint64(value[end:]))
		end += 8
	}
	r.document = value[end:]
	return true
}

// appendHeader appends everything before the document.
func (r *row) appendHeader(dst []byte) []byte {
	dst = append(dst, rowFormat, r.flags, byte(len(r.id)))
	dst = be.AppendUint64(dst, uint64(r.tx))
	dst = be.AppendUint64(dst, uint64(r.first))
	dst = be.AppendUint64(dst, r.number)
	dst = be.AppendUint64(dst, uint64(r.instant))
	dst = append(dst, r.id...)
	if r.veil != 0 {
		dst = be.AppendUint64(dst, uint64(r.veil))
	}
	return dst
}

// version is the row as callers see it, without the bytes of a document that is apart.
func (r *row) version(typ r4.Code, ordinal Ordinal) Version {
	v := Version{Type: typ, ID: string(r.id), Ordinal: ordinal, Tx: r.tx, FirstTx: r.first, Number: r.number,
		Instant: r.instant, Deleted: r.deleted(), Erased: r.isErasure() || r.deleted() && r.number == 0}
	if !v.Deleted && !r.apart() {
		v.Body = r.document
	}
	return v
}
