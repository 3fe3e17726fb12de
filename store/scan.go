package store

import (
	"bytes"
	"context"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/kv"
)

// Scan walks over the live versions of a type as of a view, in the order of ordinals. It is for one goroutine:
//
//	s := view.Scan(ctx, typ, 0, store.End)
//	defer s.Close()
//	for s.Next() { use(s.Body()) }
//	err := s.Err()
type Scan struct {
	ctx     context.Context
	v       *View
	typ     r4.Code
	to      Ordinal
	rows    kv.Iterator
	old     kv.Iterator // history, made when it is first needed
	ordinal Ordinal
	row     row
	body    []byte
	buf     []byte // for documents that are apart
	lost    []Lost
	err     error
}

// Scan begins a Scan over the ordinals [from, to). The caller closes it before the view.
func (v *View) Scan(ctx context.Context, typ r4.Code, from, to Ordinal) *Scan {
	s := &Scan{ctx: ctx, v: v, typ: typ, to: to}
	if !typ.Valid() || from >= to {
		s.rows = nowhere{}
		return s
	}
	s.rows = v.r.Scan(ctx, span(tableCurrent, typ, from, to))
	return s
}

// Next moves to the next live version; false at the end or after an error.
func (s *Scan) Next() bool {
	for s.err == nil && s.rows.Next() {
		key, value := s.rows.Key(), s.rows.Value()
		tx := rowTx(value)
		if tx == 0 || len(key) != ordinalKeyLen {
			return s.fail(broken("row", bytes.Clone(key)))
		}
		s.ordinal = ordinalOf(key)
		if tx > s.v.tx {
			if rowFirst(value) > s.v.tx {
				return false // as are all that follow
			}
			veil, ok := rowVeil(value)
			if !ok {
				return s.fail(broken("row", bytes.Clone(key)))
			}
			if veil > s.v.tx && !s.v.seesThrough(veil) {
				s.lose(value, veil)
				continue
			}
			current := value
			if value, ok = s.before(veil > s.v.tx); !ok {
				return false
			}
			if value == nil {
				s.lose(current, veil)
				continue
			}
		}
		if !s.row.parse(value) {
			return s.fail(broken("row", bytes.Clone(key)))
		}
		if s.row.isFloor() {
			s.lose(value, 0)
			continue
		}
		if s.row.deleted() {
			continue
		}
		s.body = s.row.document
		if s.row.apart() && !s.load() {
			return false
		}
		return true
	}
	return s.fail(s.rows.Err())
}

// before finds the newest history row of the current ordinal that the view shows; nil where it may be purged and is.
func (s *Scan) before(purged bool) ([]byte, bool) {
	want := historyKey(nil, s.typ, s.ordinal, s.v.tx)
	if s.old == nil {
		s.old = s.v.r.Scan(s.ctx, span(tableHistory, s.typ, s.ordinal, s.to))
	}
	if !s.old.Seek(want) || !bytes.HasPrefix(s.old.Key(), want[:ordinalKeyLen]) {
		if err := s.old.Err(); err != nil || !purged {
			return nil, s.fail(closeAll(err, broken("history", want)))
		}
		return nil, true
	}
	return s.old.Value(), true
}

// load fetches a document that is apart.
func (s *Scan) load() bool {
	var p place
	if !p.parse(s.row.document) {
		return s.fail(broken("row", ordinalKey(nil, tableCurrent, s.typ, s.ordinal)))
	}
	if cap(s.buf) > keepBuffer && p.length <= keepBuffer {
		s.buf = nil // one giant does not bind its memory for the rest of the scan
	}
	buf, err := p.load(s.ctx, s.v.r, s.buf[:0])
	if err != nil {
		return s.fail(err)
	}
	s.buf, s.body = buf, buf
	return true
}

const keepBuffer = 1 << 20

func (s *Scan) fail(err error) bool {
	if s.err == nil {
		s.err = fault.Wrap("store.Scan", err)
	}
	return false
}

// Lost is a resource that a Scan passed over since it does not know any more what it was.
type Lost struct {
	Ordinal Ordinal
	ID      string
	Erased  TxID // by which transaction; 0: its version was removed by Trim
}

// lose notes a resource by one of its rows.
func (s *Scan) lose(value []byte, veil TxID) {
	id := value[rowHeaderLen : rowHeaderLen+int(value[2])]
	s.lost = append(s.lost, Lost{s.ordinal, string(id), veil})
}

// Lost are the resources so far that existed as of the view or before, and of which it cannot be told what they were: they
// have been erased, or their version removed. They may have been deleted as of the view; View.Census knows.
func (s *Scan) Lost() []Lost { return s.lost }

// Ordinal is that of the current version.
func (s *Scan) Ordinal() Ordinal { return s.ordinal }

// Body is the current version's bytes; they are valid until the next move and must not be changed.
func (s *Scan) Body() []byte { return s.body }

// Version is the current version; its Body is that of Body.
func (s *Scan) Version() Version {
	version := s.row.version(s.typ, s.ordinal)
	version.Body = s.body
	return version
}

// Err is the error that ended the scan, or nil.
func (s *Scan) Err() error { return s.err }

// Close frees the scan; a second Close does nothing.
func (s *Scan) Close() error {
	err := s.rows.Close()
	if s.old != nil {
		err = closeAll(err, s.old.Close())
	}
	return fault.Wrap("store.Scan", err)
}

// nowhere is the iterator over nothing.
type nowhere struct{}

func (nowhere) Reset(kv.Range)   {}
func (nowhere) Next() bool       { return false }
func (nowhere) Seek([]byte) bool { return false }
func (nowhere) Key() []byte      { return nil }
func (nowhere) Value() []byte    { return nil }
func (nowhere) Err() error       { return nil }
func (nowhere) Close() error     { return nil }
