package fhir

import "iter"

// Kind is the JSON kind of a Node.
type Kind uint8

// The kinds of JSON values.
const (
	Null Kind = iota + 1
	False
	True
	Number
	String
	Array
	Object
)

var kindNames = [...]string{"nothing", "null", "false", "true", "number", "string", "array", "object"}

// String is the kind's name in lower case; "nothing" for the zero Kind, that of a Node that does not exist.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// Doc is a parsed JSON text: its compact bytes and the tape, one entry for each value in the order of the text. A value
// is found by offsets into the bytes; nothing is decoded before it is asked for. It belongs to the Parser that made it
// and is valid until that Parser parses again; reading it from several goroutines is safe.
type Doc struct {
	data  []byte
	nodes []entry
}

// entry is one value on the tape. The entries of a container's children follow it; next leads over them.
type entry struct {
	key  uint32 // offset of the member's name, after its quote; 0 for what is no member; the top bit: has escapes
	off  uint32 // offset of the value's first byte
	end  uint32 // offset after its last byte
	next uint32 // index of the next sibling in 28 bits; the kind in 3; the top bit: a string with escapes
}

const (
	escaped   = 1 << 31
	kindShift = 28
	indexMask = 1<<kindShift - 1
)

// Bytes are the compact bytes of the whole text, to which all offsets refer. They must not be changed.
func (d *Doc) Bytes() []byte { return d.data }

// Len is the number of values in the text.
func (d *Doc) Len() int { return len(d.nodes) }

// Root is the outermost value; it does not exist while nothing is parsed.
func (d *Doc) Root() Node { return Node{doc: d, stop: uint32(min(len(d.nodes), 1))} }

// Node points to a value of a Doc; it is small and meant to be copied. The zero Node does not exist; all its methods but
// Exists, Kind, First, Next, Member and the iterators are for nodes that exist.
type Node struct {
	doc     *Doc
	i, stop uint32 // the entry, and the index after the last one of its parent
}

// Exists reports whether there is such a value.
func (n Node) Exists() bool { return n.i < n.stop }

// Kind is the JSON kind of the value; 0 if the node does not exist.
func (n Node) Kind() Kind {
	if n.i >= n.stop {
		return 0
	}
	return Kind(n.doc.nodes[n.i].next >> kindShift & 7)
}

// First is the first child of an object or array; it does not exist where there is none.
func (n Node) First() Node {
	if n.i >= n.stop {
		return Node{}
	}
	return Node{n.doc, n.i + 1, n.doc.nodes[n.i].next & indexMask}
}

// Next is the next child of the same parent; it does not exist after the last one.
func (n Node) Next() Node {
	if n.i >= n.stop {
		return Node{}
	}
	return Node{n.doc, n.doc.nodes[n.i].next & indexMask, n.stop}
}

// Index is the place of the value on the tape, from 0 to Doc.Len()-1: a dense number for side tables.
func (n Node) Index() int { return int(n.i) }

// Offset is the place of the value's first byte in Doc.Bytes.
func (n Node) Offset() int { return int(n.doc.nodes[n.i].off) }

// End is the place after the value's last byte in Doc.Bytes.
func (n Node) End() int { return int(n.doc.nodes[n.i].end) }

// KeyOffset is the place of the name's opening quote in Doc.Bytes; for what is no member that of the value.
func (n Node) KeyOffset() int {
	e := &n.doc.nodes[n.i]
	if e.key == 0 {
		return int(e.off)
	}
	return int(e.key&^escaped) - 1
}

// IsMember reports whether the value is a member of an object.
func (n Node) IsMember() bool { return n.doc.nodes[n.i].key != 0 }

// Key is the name of the member as it stands between the quotes, escapes undecoded: see KeyEscaped. It is nil for what
// is no member.
func (n Node) Key() []byte {
	e := &n.doc.nodes[n.i]
	if e.key == 0 {
		return nil
	}
	return n.doc.data[e.key&^escaped : e.off-2] // the quote and the colon stand between
}

// KeyEscaped reports whether Key has escapes.
func (n Node) KeyEscaped() bool { return n.doc.nodes[n.i].key&escaped != 0 }

// KeyIs reports whether the node is a member of this name, escapes decoded.
func (n Node) KeyIs(name string) bool {
	if n.KeyEscaped() {
		return string(appendUnescaped(nil, n.Key())) == name
	}
	return string(n.Key()) == name
}

// AppendKey appends the name of the member to dst, escapes decoded.
func (n Node) AppendKey(dst []byte) []byte {
	if n.KeyEscaped() {
		return appendUnescaped(dst, n.Key())
	}
	return append(dst, n.Key()...)
}

// Raw are the bytes of the value as they stand in the text, quotes and children included. They must not be changed.
func (n Node) Raw() []byte {
	e := &n.doc.nodes[n.i]
	return n.doc.data[e.off:e.end:e.end]
}

// Text is what stands between the quotes of a string, escapes undecoded: see Escaped. For other kinds it is Raw.
func (n Node) Text() []byte {
	e := &n.doc.nodes[n.i]
	if Kind(e.next>>kindShift&7) == String {
		return n.doc.data[e.off+1 : e.end-1 : e.end-1]
	}
	return n.doc.data[e.off:e.end:e.end]
}

// Escaped reports whether the value is a string with escapes.
func (n Node) Escaped() bool { return n.doc.nodes[n.i].next&escaped != 0 }

// Unescaped is Text with escapes decoded. Without escapes it is Text itself; otherwise buf is overwritten and, grown
// where it must, returned.
func (n Node) Unescaped(buf []byte) []byte {
	if n.Escaped() {
		return appendUnescaped(buf[:0], n.Text())
	}
	return n.Text()
}

// AppendText appends Text to dst with escapes decoded.
func (n Node) AppendText(dst []byte) []byte {
	if n.Escaped() {
		return appendUnescaped(dst, n.Text())
	}
	return append(dst, n.Text()...)
}

// Is reports whether the value is a string of this text, escapes decoded.
func (n Node) Is(text string) bool {
	if n.Kind() != String {
		return false
	}
	if n.Escaped() {
		return string(appendUnescaped(nil, n.Text())) == text
	}
	return string(n.Text()) == text
}

// Count is the number of children of an object or array.
func (n Node) Count() int {
	count := 0
	for child := n.First(); child.Exists(); child = child.Next() {
		count++
	}
	return count
}

// Member is the member of this name of an object; it does not exist where there is none.
func (n Node) Member(name string) Node {
	if n.Kind() != Object {
		return Node{}
	}
	child := n.First()
	for child.Exists() && !child.KeyIs(name) {
		child = child.Next()
	}
	return child
}

// Children iterates over the children of an object or array in their order.
func (n Node) Children() iter.Seq[Node] {
	return func(yield func(Node) bool) {
		for child := n.First(); child.Exists(); child = child.Next() {
			if !yield(child) {
				return
			}
		}
	}
}
