package store

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"slices"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/kv"
)

// Entry is one entry of the search index. What its numbers and bytes mean is the caller's; an epoch names the tables that
// made them.
type Entry = fhir.IndexEntry

// MaxExact is the length of the longest value that is indexed as it is. A longer one is kept as its first bytes and a
// hash, in all MaxExact+1 bytes; who finds such a value looks at the document.
const MaxExact = 255

const cutValue = MaxExact + 1 - 16 // bytes of a long value before the 16 of its hash

// IndexValue is the value as the index keeps it, and whether that is exact. An equality search for a long value takes
// the kept one; a range search must treat a bound beyond its first 240 bytes as open and look at the document.
func IndexValue(value []byte) (kept []byte, exact bool) {
	if len(value) <= MaxExact {
		return value, true
	}
	sum := sha256.Sum256(value)
	return append(append(make([]byte, 0, MaxExact+1), value[:cutValue]...), sum[:16]...), false
}

// normalEntries are the entries as they are kept: values cut, sorted, each once. They share exact values with entries.
func normalEntries(entries []Entry) []Entry {
	if len(entries) == 0 {
		return nil
	}
	kept := make([]Entry, len(entries))
	for i, e := range entries {
		v, _ := IndexValue(e.Value)
		kept[i] = Entry{Param: e.Param, Value: v}
	}
	slices.SortFunc(kept, compareEntries)
	return slices.CompactFunc(kept, func(a, b Entry) bool { return compareEntries(a, b) == 0 })
}

func compareEntries(a, b Entry) int {
	if c := cmp.Compare(a.Param, b.Param); c != 0 {
		return c
	}
	return bytes.Compare(a.Value, b.Value)
}

// forwardFormat is the format of forward rows. Joined, the rows n = 0, 1, ... of a resource are
//
//	format 1 | rows 2 | epoch 4 | entries, sorted: param uvarint | length uvarint | value
//
// There is no row where there are no entries and the epoch is 0.
const forwardFormat = 1

const forwardHeaderLen = 1 + 2 + 4

// appendForward is the joined forward rows of normal entries; nil where there is nothing to keep.
func appendForward(entries []Entry, epoch uint32) []byte {
	if len(entries) == 0 && epoch == 0 {
		return nil
	}
	size := forwardHeaderLen
	for _, e := range entries {
		size += 2 + 2*binary.MaxVarintLen16 + len(e.Value)
	}
	dst := make([]byte, forwardHeaderLen, size)
	dst[0] = forwardFormat
	be.PutUint32(dst[3:], epoch)
	for _, e := range entries {
		dst = binary.AppendUvarint(dst, uint64(e.Param))
		dst = binary.AppendUvarint(dst, uint64(len(e.Value)))
		dst = append(dst, e.Value...)
	}
	be.PutUint16(dst[1:], uint16(forwardRows(dst)))
	return dst
}

// forwardRows is how many rows the joined bytes take.
func forwardRows(joined []byte) int { return (len(joined) + kv.MaxValue - 1) / kv.MaxValue }

// parseForward reads joined forward rows; the values are parts of joined. nil is no entries of epoch 0.
func parseForward(joined []byte) (entries []Entry, epoch uint32, ok bool) {
	return appendEntries(nil, joined)
}

// appendEntries is parseForward into memory that is there.
func appendEntries(dst []Entry, joined []byte) (entries []Entry, epoch uint32, ok bool) {
	if joined == nil {
		return dst, 0, true
	}
	if len(joined) < forwardHeaderLen || joined[0] != forwardFormat {
		return nil, 0, false
	}
	for rest := joined[forwardHeaderLen:]; len(rest) > 0; {
		var e Entry
		if e, rest, ok = nextEntry(rest); !ok {
			return nil, 0, false
		}
		dst = append(dst, e)
	}
	return dst, be.Uint32(joined[3:]), true
}

// nextEntry reads one entry of a forward row and gives the rest.
func nextEntry(text []byte) (e Entry, rest []byte, ok bool) {
	param, n := binary.Uvarint(text)
	if n <= 0 || param > 1<<16-1 {
		return e, nil, false
	}
	text = text[n:]
	size, n := binary.Uvarint(text)
	if n <= 0 || size > uint64(len(text)-n) {
		return e, nil, false
	}
	text = text[n:]
	return Entry{Param: uint16(param), Value: text[:size:size]}, text[size:], true
}

// entriesOf are the entries of joined forward rows that this package has made a moment ago.
func entriesOf(joined []byte) iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for rest := joined[min(forwardHeaderLen, len(joined)):]; len(rest) > 0; {
			var e Entry
			var ok bool
			if e, rest, ok = nextEntry(rest); !ok || !yield(e) {
				return
			}
		}
	}
}

// diffEntries calls drop for what only the sorted list old has and add for what only next has.
func diffEntries(old, next []Entry, drop, add func(Entry)) {
	for len(old) > 0 && len(next) > 0 {
		switch c := compareEntries(old[0], next[0]); {
		case c < 0:
			drop(old[0])
			old = old[1:]
		case c > 0:
			add(next[0])
			next = next[1:]
		default:
			old, next = old[1:], next[1:]
		}
	}
	for _, e := range old {
		drop(e)
	}
	for _, e := range next {
		add(e)
	}
}

// A value within a key is escaped (00 becomes 00 ff) and ends with 00 01, so that keys sort by value, then ordinal,
// whatever bytes a value has.
const (
	escape    = 0x00
	escaped00 = 0xff
	valueEnd  = 0x01
)

func appendEscaped(dst, value []byte) []byte {
	for {
		i := bytes.IndexByte(value, escape)
		if i < 0 {
			return append(dst, value...)
		}
		dst = append(append(dst, value[:i]...), escape, escaped00)
		value = value[i+1:]
	}
}

// searchPrefix is the start of all entries of a parameter whose values begin with value.
func searchPrefix(dst []byte, typ r4.Code, param uint16, value []byte) []byte {
	return appendEscaped(be.AppendUint16(typeKey(dst, tableSearch, typ), param), value)
}

func searchKey(dst []byte, typ r4.Code, e Entry, ordinal Ordinal) []byte {
	return be.AppendUint32(append(searchPrefix(dst, typ, e.Param, e.Value), escape, valueEnd), uint32(ordinal))
}

func searchKeyLen(e Entry) int {
	return 1 + 2 + 2 + len(e.Value) + bytes.Count(e.Value, []byte{escape}) + 2 + 4
}

const searchHeadLen = 1 + 2 + 2

// parseSearchKey reads value and ordinal of a search key; value is appended to dst.
func parseSearchKey(dst, key []byte) (value []byte, ordinal Ordinal, ok bool) {
	if len(key) < searchHeadLen+2+4 {
		return dst, 0, false
	}
	end := len(key) - 6
	if key[end] != escape || key[end+1] != valueEnd {
		return dst, 0, false
	}
	ordinal = Ordinal(be.Uint32(key[end+2:]))
	for v := key[searchHeadLen:end]; ; {
		i := bytes.IndexByte(v, escape)
		if i < 0 {
			return append(dst, v...), ordinal, true
		}
		if i+1 >= len(v) || v[i+1] != escaped00 {
			return dst, 0, false
		}
		dst = append(dst, v[:i+1]...)
		v = v[i+2:]
	}
}
