package store

import (
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// head is the row that says what is committed:
//
//	layout format 2 | flags 1 | tx 8 | instant 8 | per type with resources, ascending: type 2 | next 4 | live 4 | last tx 8
type head struct {
	tx      TxID
	instant fhir.Instant
	sealed  bool // a commit must have an instant above the head's
	types   [r4.Count + 1]typeHead
}

// typeHead are the counters of one type.
type typeHead struct {
	next Ordinal // the next ordinal to give out
	live uint32  // resources that are not deleted
	last TxID    // the last transaction that changed the type
}

const (
	headLen     = 2 + 1 + 8 + 8
	headTypeLen = 2 + 4 + 4 + 8
	headSealed  = 1
)

// maxInstant is the end of the year 9999, the last that FHIR can write.
const maxInstant fhir.Instant = 253402300799999

// parseHead reads a head row; the head of an empty store where value is nil.
func parseHead(value []byte) (*head, error) {
	h := &head{}
	if value == nil {
		return h, nil
	}
	if len(value) < headLen || (len(value)-headLen)%headTypeLen != 0 {
		return nil, broken("head", headKey)
	}
	if format := be.Uint16(value); format != layoutFormat {
		return nil, fault.WithHint(fault.Errorf(fault.Unsupported, "store.Open",
			"this data store has layout %d; this program knows layout %d only", format, layoutFormat),
			"open it with the version of the program that wrote it, or with a newer one")
	}
	h.sealed = value[2]&headSealed != 0
	h.tx = TxID(be.Uint64(value[3:]))
	h.instant = fhir.Instant(be.Uint64(value[11:]))
	for rest := value[headLen:]; len(rest) > 0; rest = rest[headTypeLen:] {
		typ := r4.Code(be.Uint16(rest))
		if !typ.Valid() {
			return nil, broken("head", headKey)
		}
		h.types[typ] = typeHead{Ordinal(be.Uint32(rest[2:])), be.Uint32(rest[6:]), TxID(be.Uint64(rest[10:]))}
	}
	return h, nil
}

func (h *head) append(dst []byte) []byte {
	var flags byte
	if h.sealed {
		flags |= headSealed
	}
	dst = append(be.AppendUint16(dst, layoutFormat), flags)
	dst = be.AppendUint64(dst, uint64(h.tx))
	dst = be.AppendUint64(dst, uint64(h.instant))
	for typ, t := range h.types {
		if t.next == 0 {
			continue
		}
		dst = be.AppendUint16(dst, uint16(typ))
		dst = be.AppendUint32(dst, uint32(t.next))
		dst = be.AppendUint32(dst, t.live)
		dst = be.AppendUint64(dst, uint64(t.last))
	}
	return dst
}

// after is the instant of a commit behind this head at the clock's time now.
func (h *head) after(now fhir.Instant) (fhir.Instant, error) {
	least := h.instant
	if h.sealed {
		least++
	}
	if least > maxInstant {
		return 0, fault.WithHint(fault.Errorf(fault.Conflict, "store.Commit",
			"the instants of this data store have reached the end of the year 9999"), "a clock was far ahead; restore from before that")
	}
	return min(max(now, least), maxInstant), nil
}

func (h *head) point() Point { return Point{h.tx, h.instant} }

// changed reports whether one of types (none: any) changed after tx.
func (h *head) changed(types []r4.Code, tx TxID) bool {
	if len(types) == 0 {
		return h.tx > tx
	}
	for _, t := range types {
		if t.Valid() && h.types[t].last > tx {
			return true
		}
	}
	return false
}
