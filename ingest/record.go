package ingest

import (
	"encoding/binary"
	"encoding/hex"
	"strconv"

	"tarn/fault"
	"tarn/fhir/r4"
)

// record is one line of a log of what was stored.
type record struct {
	line    int64
	typ     r4.Code
	id      []byte
	number  uint64 // versionId
	created bool   // else updated
	told    []byte // the extension that the resource bears, of what was tolerated in it; nil: nothing was
}

// Records are kept until their log is written, some thousands in a piece: a format byte, and for each record
//
//	difference of the line to the record before * 16 + marks
//	code of the type          if it is another than before
//	16 bytes, or length, id   16 bytes are a UUID in its usual form
//	versionId * 2 + created   unless it is 1 and created
//	length, extension         if something was tolerated
//
// where numbers and lengths are uvarints. A Synthea resource takes 18 bytes.
const recordFormat = 1

const (
	markType = 1 << iota
	markUUID
	markNumber
	markTold
	markBits = 4
)

// recordWriter makes a piece.
type recordWriter struct {
	b    []byte
	line int64
	typ  r4.Code
}

func (w *recordWriter) add(r *record) {
	if len(w.b) == 0 {
		w.b = append(w.b, recordFormat)
	}
	var marks uint64
	uuid, isUUID := parseUUID(r.id)
	if r.typ != w.typ {
		marks |= markType
	}
	if isUUID {
		marks |= markUUID
	}
	if r.number != 1 || !r.created {
		marks |= markNumber
	}
	if r.told != nil {
		marks |= markTold
	}
	w.b = binary.AppendUvarint(w.b, uint64(r.line-w.line)<<markBits|marks)
	if marks&markType != 0 {
		w.b = binary.AppendUvarint(w.b, uint64(r.typ))
	}
	if isUUID {
		w.b = append(w.b, uuid[:]...)
	} else {
		w.b = append(binary.AppendUvarint(w.b, uint64(len(r.id))), r.id...)
	}
	if marks&markNumber != 0 {
		n := r.number << 1
		if r.created {
			n |= 1
		}
		w.b = binary.AppendUvarint(w.b, n)
	}
	if marks&markTold != 0 {
		w.b = append(binary.AppendUvarint(w.b, uint64(len(r.told))), r.told...)
	}
	w.line, w.typ = r.line, r.typ
}

// eachRecord hands on the records of a piece; what they hold is valid during the call only.
func eachRecord(piece []byte, take func(*record)) error {
	damaged := fault.Errorf(fault.Internal, "ingest", "a piece of a log is damaged")
	if len(piece) == 0 || piece[0] != recordFormat {
		return fault.Errorf(fault.Unsupported, "ingest", "a piece of a log is not of format %d", recordFormat)
	}
	b, ok := piece[1:], true
	number := func() uint64 {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			ok, b = false, nil
			return 0
		}
		b = b[n:]
		return v
	}
	bytes := func(n uint64) []byte {
		if n > uint64(len(b)) {
			ok, b = false, nil
			return nil
		}
		v := b[:n]
		b = b[n:]
		return v
	}
	var r record
	var uuid [36]byte
	for len(b) > 0 {
		head := number()
		r.line += int64(head >> markBits)
		r.number, r.created, r.told = 1, true, nil
		if head&markType != 0 {
			r.typ = r4.Code(number())
		}
		if head&markUUID != 0 {
			if raw := bytes(16); ok {
				r.id = formatUUID(uuid[:], raw)
			}
		} else {
			r.id = bytes(number())
		}
		if head&markNumber != 0 {
			n := number()
			r.number, r.created = n>>1, n&1 != 0
		}
		if head&markTold != 0 {
			r.told = bytes(number())
		}
		if !ok || !r.typ.Valid() {
			return damaged
		}
		take(&r)
	}
	return nil
}

// appendLine appends the line of a log, in the form in which HealthLake tells failures: the answer to the update, of
// whose resource only what names it is repeated.
func (r *record) appendLine(dst []byte) []byte {
	dst = strconv.AppendInt(append(dst, `{"lineId":`...), r.line, 10)
	dst = append(append(dst, `,"UpdateResourceResponse":{"jsonBlob":{"resourceType":"`...), r.typ.String()...)
	dst = append(append(dst, `","id":"`...), r.id...) // of letters that need no escape
	dst = strconv.AppendUint(append(dst, `","meta":{"versionId":"`...), r.number, 10)
	dst = append(dst, '"')
	if r.told != nil {
		dst = append(append(append(dst, `,"extension":[`...), r.told...), ']')
	}
	status := `}},"statusCode":200}}`
	if r.created {
		status = `}},"statusCode":201}}`
	}
	return append(append(dst, status...), '\n')
}

// lineSize is how many bytes appendLine appends.
func (r *record) lineSize() int {
	const bare = len(`{"lineId":,"UpdateResourceResponse":{"jsonBlob":{"resourceType":"","id":"","meta":{"versionId":""}},"statusCode":201}}` + "\n")
	size := bare + digits(uint64(r.line)) + len(r.typ.String()) + len(r.id) + digits(r.number)
	if r.told != nil {
		size += len(`,"extension":[]`) + len(r.told)
	}
	return size
}

func digits(n uint64) int {
	count := 1
	for ; n > 9; n /= 10 {
		count++
	}
	return count
}

// parseUUID is the value of a UUID that is written with lower case digits.
func parseUUID(id []byte) (raw [16]byte, ok bool) {
	if len(id) != 36 {
		return raw, false
	}
	n := 0
	for i := 0; i < len(id); i++ {
		if i == 8 || i == 13 || i == 18 || i == 23 {
			if id[i] != '-' {
				return raw, false
			}
			continue
		}
		digit := id[i] - '0'
		if digit > 9 {
			if digit = id[i] - 'a' + 10; digit < 10 || digit > 15 {
				return raw, false
			}
		}
		raw[n/2] = raw[n/2]<<4 | digit
		n++
	}
	return raw, true
}

func formatUUID(dst, raw []byte) []byte {
	hex.Encode(dst, raw[:4])
	hex.Encode(dst[9:], raw[4:6])
	hex.Encode(dst[14:], raw[6:8])
	hex.Encode(dst[19:], raw[8:10])
	hex.Encode(dst[24:], raw[10:])
	dst[8], dst[13], dst[18], dst[23] = '-', '-', '-', '-'
	return dst
}
