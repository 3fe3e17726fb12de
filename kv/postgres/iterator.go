package postgres

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tarn/kv"
)

// A scan fetches short pages: the first one small, since many scans look at a few entries only, the later ones up to
// pageRows, or so many as pageBytes are likely to hold.
const (
	firstRows = 100
	pageRows  = 2000
	pageBytes = 4 << 20
)

// iterator holds one page of a scan. low and high bound what is still to come; both move inwards.
type iterator struct {
	state *state
	ctx   context.Context
	kv.Range
	low, high []byte // [low, high); a nil high is no bound
	rows      int    // how many to ask for next

	page []kv.Entry
	at   int  // in page; -1 before its first entry
	last bool // no page follows
	shut bool
	err  error
}

// Scan implements kv.Reader.
func (s *state) Scan(ctx context.Context, r kv.Range) kv.Iterator {
	i := &iterator{state: s, ctx: ctx}
	i.Reset(r)
	return i
}

// Reset implements kv.Iterator.
func (i *iterator) Reset(r kv.Range) {
	if i.err != nil || i.shut {
		return
	}
	*i = iterator{state: i.state, ctx: i.ctx, Range: r, low: []byte{}, high: bytes.Clone(r.End), rows: firstRows, at: -1, page: i.page[:0]}
	if r.Start != nil {
		i.low = bytes.Clone(r.Start)
	}
	i.err = i.state.space.check(i.ctx, "postgres.Scan")
}

// ready reports whether the iterator may move.
func (i *iterator) ready() bool {
	if i.err == nil {
		i.err = i.state.space.check(i.ctx, "postgres.Scan")
	}
	return i.err == nil
}

// Next implements kv.Iterator.
func (i *iterator) Next() bool {
	if !i.ready() {
		return false
	}
	i.at++
	return i.here()
}

// here fetches the next page if the page at hand is used up, and reports whether there is an entry.
func (i *iterator) here() bool {
	if i.at < len(i.page) {
		return true
	}
	i.page, i.at = i.page[:0], 0
	if i.last || i.high != nil && bytes.Compare(i.low, i.high) >= 0 {
		i.last = true
		return false
	}
	if i.err = i.fetch(); i.err != nil {
		return false
	}
	return len(i.page) > 0
}

// fetch reads a page from the near bound on and moves that bound beyond it.
func (i *iterator) fetch() error {
	columns, order, above := "key", "", ""
	args := []any{i.low, i.rows}
	if !i.KeysOnly {
		columns += ", value"
	}
	if i.Reverse {
		order = " DESC"
	}
	if i.high != nil {
		above = " AND key < $3"
		args = append(args, i.high)
	}
	sql := fmt.Sprintf(`SELECT %s FROM %s WHERE key >= $1%s ORDER BY key%s LIMIT $2`, columns, i.state.space.table, above, order)
	var room []byte
	size := 0
	err := i.state.query(i.ctx, "postgres.Scan", sql, args, func(rows pgx.Rows) error {
		defer rows.Close()
		for rows.Next() {
			raw := rows.RawValues()
			var e kv.Entry
			e.Key, room = keep(room, raw[0])
			if !i.KeysOnly {
				e.Value, room = keep(room, raw[1])
				size += len(raw[1])
			}
			size += len(e.Key)
			i.page = append(i.page, e)
		}
		return rows.Err()
	})
	n := len(i.page)
	i.last = n < i.rows
	if err != nil || n == 0 {
		return err
	}
	if end := i.page[n-1].Key; i.Reverse {
		i.high = bytes.Clone(end)
	} else {
		i.low = after(end)
	}
	i.rows = min(pageRows, 4*i.rows, 1+pageBytes/(1+size/n))
	return nil
}

// keep copies b into room, or into a new room where that is full.
func keep(room, b []byte) (kept, rest []byte) {
	if len(b) > cap(room)-len(room) {
		room = make([]byte, 0, max(64<<10, len(b)))
	}
	from := len(room)
	room = append(room, b...)
	return room[from:len(room):len(room)], room
}

// after is the first key after key.
func after(key []byte) []byte { return append(append(make([]byte, 0, len(key)+1), key...), 0) }

// Seek implements kv.Iterator: within the page at hand, or by a new page.
func (i *iterator) Seek(key []byte) bool {
	if !i.ready() {
		return false
	}
	i.at = max(i.at, 0)
	for ; i.at < len(i.page); i.at++ {
		if c := bytes.Compare(i.page[i.at].Key, key); c == 0 || c > 0 != i.Reverse {
			return true
		}
	}
	if i.Reverse {
		if end := after(key); i.high == nil || bytes.Compare(end, i.high) < 0 {
			i.high = end
		}
	} else if bytes.Compare(key, i.low) > 0 {
		i.low = bytes.Clone(key)
	}
	i.rows = min(i.rows, firstRows) // who seeks hardly reads far
	return i.here()
}

// Key implements kv.Iterator.
func (i *iterator) Key() []byte {
	if i.at < 0 || i.at >= len(i.page) {
		return nil
	}
	return i.page[i.at].Key
}

// Value implements kv.Iterator.
func (i *iterator) Value() []byte {
	if i.at < 0 || i.at >= len(i.page) {
		return nil
	}
	return i.page[i.at].Value
}

// Err implements kv.Iterator.
func (i *iterator) Err() error { return i.err }

// Close implements kv.Iterator.
func (i *iterator) Close() error {
	i.page, i.last, i.shut = nil, true, true
	return nil
}
