package search

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// cursor is where a page ends: all that the next one needs.
type cursor struct {
	path  string     // of the request: a cursor is good there only
	query string     // the parameters, encoded
	at    store.TxID // all pages are as of it
	now   int64      // ms since 1970: what "approximately" is measured from on all pages; 0 where nothing is approximate
	total int        // -1: not known
	after position
}

// position is the last resource of a page in the order of the results.
type position struct {
	typ     r4.Code
	ordinal store.Ordinal
	keys    [][]byte // by which it was sorted; nil: it has none
}

const cursorFormat = 2

func (c *cursor) encode() []byte {
	b := append(make([]byte, 0, 64+len(c.query)), cursorFormat)
	b = binary.BigEndian.AppendUint32(b, index.Epoch)
	b = appendBytes(b, []byte(c.path))
	b = appendBytes(b, []byte(c.query))
	b = binary.AppendUvarint(b, uint64(c.at))
	b = binary.AppendVarint(b, c.now)
	b = binary.AppendUvarint(b, uint64(c.total+1))
	b = binary.AppendUvarint(b, uint64(c.after.typ))
	b = binary.AppendUvarint(b, uint64(c.after.ordinal))
	b = binary.AppendUvarint(b, uint64(len(c.after.keys)))
	for _, k := range c.after.keys {
		if k == nil {
			b = append(b, 0)
			continue
		}
		b = appendBytes(append(b, 1), k)
	}
	return b
}

// approximate reports whether a value may have the prefix ap, so that what it finds depends on the time.
func approximate(pairs []Pair) bool {
	return slices.ContainsFunc(pairs, func(p Pair) bool {
		for rest := p.Value; ; {
			at := strings.Index(rest, "ap")
			if at < 0 {
				return false
			}
			begins := at == 0 || rest[at-1] == ',' || rest[at-1] == '$'
			if rest = rest[at+2:]; begins && rest != "" && rest[0] >= '0' && rest[0] <= '9' {
				return true
			}
		}
	})
}

func appendBytes(b, value []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(value))), value...)
}

var errCursor = errors.New("not a cursor")

// decodeCursor reads what encode wrote; the index must be of the same epoch.
func decodeCursor(b []byte) (c cursor, err error) {
	if len(b) < 5 || b[0] != cursorFormat || binary.BigEndian.Uint32(b[1:]) != index.Epoch {
		return c, errCursor
	}
	d := decoder{rest: b[5:]}
	c.path, c.query = string(d.bytes()), string(d.bytes())
	c.at, c.now, c.total = store.TxID(d.number()), d.signed(), int(d.number()%(1<<40))-1
	typ, ordinal, n := d.number(), d.number(), d.number()
	c.after.typ, c.after.ordinal = r4.Code(typ), store.Ordinal(ordinal)
	if d.bad || !c.after.typ.Valid() || typ > r4.Count || ordinal >= uint64(store.End) || n > MaxSort {
		return c, errCursor
	}
	for range n {
		var key []byte
		switch d.byte() {
		case 0:
		case 1:
			key = append([]byte{}, d.bytes()...)
		default:
			return c, errCursor
		}
		c.after.keys = append(c.after.keys, key)
	}
	if d.bad || len(d.rest) > 0 {
		return c, errCursor
	}
	return c, nil
}

// decoder reads numbers and byte strings; after a failure it reads nothing any more.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 || d.bad {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) signed() int64 {
	n, size := binary.Varint(d.rest)
	if size <= 0 || d.bad {
		d.bad, d.rest = true, nil
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) byte() byte {
	if len(d.rest) == 0 {
		d.bad = true
		return 0
	}
	b := d.rest[0]
	d.rest = d.rest[1:]
	return b
}

func (d *decoder) bytes() []byte {
	n := d.number()
	if n > uint64(len(d.rest)) {
		d.bad, d.rest = true, nil
	}
	if d.bad {
		return nil
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

// resume opens the cursor of a request, if it has one: it stands alone beside _format and _pretty.
func (s *Service) resume(q *Request) (*cursor, []Pair, error) {
	return s.resumeAt(q.Datastore, q.path(), q.Pairs)
}

// resumeAt is resume for a request to a path below the base.
func (s *Service) resumeAt(datastore, path string, given []Pair) (*cursor, []Pair, error) {
	var text string
	var others []Pair
	for _, p := range given {
		switch p.Name {
		case "_cursor":
			if text != "" {
				return nil, nil, refuse("_cursor", "it is given more than once")
			}
			text = p.Value
		case "_format", "_pretty":
			others = append(others, p)
		}
	}
	if text == "" {
		return nil, given, nil
	}
	if len(others)+1 != len(given) {
		return nil, nil, refuse("_cursor", "it stands alone: follow the links of a page as they are")
	}
	plain, ok := s.open(datastore, text)
	if !ok {
		return nil, nil, refuse("_cursor", "it is not from a link of this data store, or is from before the server's key was changed")
	}
	c, err := decodeCursor(plain)
	if err != nil {
		return nil, nil, fhir.NewOutcomeError(fault.Gone, "search", fhir.Issue{Severity: fhir.SeverityError, Code: codeExpired,
			Diagnostics: "The parameter _cursor is from before the index was changed; begin with the first page again."})
	}
	if c.path != path {
		return nil, nil, refuse("_cursor", "it is from another address, /%s", clip(c.path))
	}
	pairs, err := ParseQuery(c.query)
	return &c, pairs, err
}
