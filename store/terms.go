package store

import (
	"bytes"
	"cmp"
	"slices"
)

// terms are the search keys of a load without their ordinals, sorted.
type terms struct {
	bytes  []byte
	sorted []term
}

// term is one key: its first bytes behind the table as a number, which mostly decides, where the whole lies, and whose it is.
type term struct {
	first  uint64
	at     uint32
	length uint16
	write  int32
}

func (t *terms) key(of term) []byte { return t.bytes[of.at : of.at+uint32(of.length)] }

// sort makes the keys of all writes. Of two with one key that of the earlier write comes first.
func (t *terms) sort(writes []prepared) {
	count, size := 0, 0
	for i := range writes {
		for e := range entriesOf(writes[i].forward) {
			count++
			size += searchKeyLen(e) - 4
		}
	}
	t.bytes, t.sorted = make([]byte, 0, size), make([]term, 0, count)
	for i := range writes {
		for e := range entriesOf(writes[i].forward) {
			at := len(t.bytes)
			t.bytes = append(searchPrefix(t.bytes, writes[i].Type, e.Param, e.Value), escape, valueEnd)
			var first [8]byte
			copy(first[:], t.bytes[at+1:])
			t.sorted = append(t.sorted, term{be.Uint64(first[:]), uint32(at), uint16(len(t.bytes) - at), int32(i)})
		}
	}
	slices.SortFunc(t.sorted, func(a, b term) int {
		if a.first != b.first {
			return cmp.Compare(a.first, b.first)
		}
		if c := bytes.Compare(t.key(a), t.key(b)); c != 0 {
			return c
		}
		return cmp.Compare(a.write, b.write)
	})
}
