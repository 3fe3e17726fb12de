package fhir

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// The names of an object must be unique. Few names are compared pairwise where a bit of their prints collides; of many
// names a hash table is made when the object closes, so that no input costs more than linear time.
const fewNames = 32

const mixer = 0x9e3779b97f4a7c15 // 2^64 / golden ratio

// name is the name of a member of an open object, in the source.
type name struct {
	print      uint64 // equal names have equal prints
	start, end uint32 // offsets of the text between the quotes; the top bit of end: it has escapes
}

// printEscaped is the fingerprint of a name with escapes.
func (p *Parser) printEscaped(text []byte) uint64 {
	p.left = appendUnescaped(p.left[:0], text)
	return fingerprint(p.left, 0, len(p.left))
}

// fingerprint is the name src[start:end] itself up to 7 bytes, otherwise a mix of both ends and the length.
func fingerprint(src []byte, start, end int) uint64 {
	n := end - start
	if n >= 8 {
		head := binary.LittleEndian.Uint64(src[start:])
		tail := binary.LittleEndian.Uint64(src[end-8:])
		return (head ^ bits.RotateLeft64(tail, 29) ^ uint64(n)) * mixer
	}
	if start+8 <= len(src) {
		return binary.LittleEndian.Uint64(src[start:])&(1<<(8*n)-1) | uint64(n+1)<<56
	}
	var word [8]byte
	copy(word[:], src[start:end])
	return binary.LittleEndian.Uint64(word[:]) | uint64(n+1)<<56
}

// among reports whether one of the names equals n.
func (p *Parser) among(src []byte, names []name, n name) bool {
	for _, other := range names {
		if other.print == n.print && p.same(src, other, n) {
			return true
		}
	}
	return false
}

// same reports whether two names are equal, escapes decoded.
func (p *Parser) same(src []byte, a, b name) bool {
	left, right := src[a.start:a.end&^escaped], src[b.start:b.end&^escaped]
	if a.end&escaped != 0 {
		p.left = appendUnescaped(p.left[:0], left)
		left = p.left
	}
	if b.end&escaped != 0 {
		p.right = appendUnescaped(p.right[:0], right)
		right = p.right
	}
	return bytes.Equal(left, right)
}

// twin finds the first name that equals an earlier one.
func (p *Parser) twin(src []byte, names []name) (name, bool) {
	size := 1 << bits.Len(uint(2*len(names)))
	if cap(p.table) < size {
		p.table = make([]uint32, size)
	}
	table := p.table[:size]
	clear(table)
	for i, n := range names {
		text := src[n.start : n.end&^escaped]
		if n.end&escaped != 0 {
			p.left = appendUnescaped(p.left[:0], text)
			text = p.left
		}
		at := int(maphash.Bytes(p.seed, text)) & (size - 1)
		for ; table[at] != 0; at = (at + 1) & (size - 1) {
			other := names[table[at]-1]
			if other.print == n.print && p.same(src, other, n) {
				return n, true
			}
		}
		table[at] = uint32(i + 1)
	}
	return name{}, false
}
