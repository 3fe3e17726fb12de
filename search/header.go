package search

import (
	"fmt"
	"slices"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// ids is the condition _id: resources by name.
type ids struct {
	typ      r4.Code
	ids      []string
	negated  bool
	ordinals []store.Ordinal // once looked up, ascending
	looked   bool
}

func (c *ids) String() string { return fmt.Sprintf("_id: %d of them", len(c.ids)) }
func (c *ids) cost() int      { return 0 }
func (c *ids) param() string  { return "_id" }

func (c *ids) find(r *run) error {
	if c.looked {
		return nil
	}
	found, err := r.v.Ordinals(r.ctx, c.typ, c.ids)
	if err != nil {
		return err
	}
	slices.Sort(found)
	found = slices.Compact(found)
	if n := len(found); n > 0 && found[n-1] == store.Nowhere {
		found = found[:n-1]
	}
	c.ordinals, c.looked = found, true
	return nil
}

// drive holds deleted resources too, so it does not decide: the test reads the rows.
func (c *ids) drive(r *run, _ effort, _ *bool) (stream, bool, error) {
	if c.negated {
		return nil, false, nil
	}
	if err := c.find(r); err != nil {
		return nil, false, err
	}
	return &set{ordinals: c.ordinals}, false, nil
}

func (c *ids) test(r *run, b *batch) error {
	if err := c.find(r); err != nil {
		return err
	}
	for i, o := range b.ordinals {
		if _, found := slices.BinarySearch(c.ordinals, o); found == c.negated {
			b.keep[i] = false
		}
	}
	return r.loadHeaders(b)
}

// updated is the condition _lastUpdated: the instant of a version is in one of the spans.
type updated struct {
	name  string
	typ   r4.Code
	spans []instants
	txs   []txs // of the spans, once looked up
}

// instants are those with from <= instant < to; outside are all others.
type instants struct {
	from, to fhir.Instant
	outside  bool
}

// txs are the transactions after < tx <= upto.
type txs struct{ after, upto store.TxID }

func (c *updated) String() string {
	var parts []string
	for _, s := range c.spans {
		not := ""
		if s.outside {
			not = "not "
		}
		parts = append(parts, fmt.Sprintf("%s%s to %s", not, s.from, s.to))
	}
	return c.name + ": " + strings.Join(parts, " or ")
}

func (c *updated) cost() int     { return 2 }
func (c *updated) param() string { return c.name }

// find turns instants into transactions; an instant belongs to whole transactions, and both ascend.
func (c *updated) find(r *run) error {
	if c.txs != nil {
		return nil
	}
	for _, s := range c.spans {
		before, err := r.v.TxAt(r.ctx, s.from-1)
		if err != nil {
			return err
		}
		upto, err := r.v.TxAt(r.ctx, s.to-1)
		if err != nil {
			return err
		}
		if s.outside {
			c.txs = append(c.txs, txs{0, before}, txs{upto, r.v.Tx()})
		} else {
			c.txs = append(c.txs, txs{before, upto})
		}
	}
	return nil
}

// drive begins from the changes of the time, if these are few. A resource may have been changed again since, so it does
// not decide.
func (c *updated) drive(r *run, e effort, _ *bool) (stream, bool, error) {
	if e < more {
		return nil, false, nil
	}
	if err := c.find(r); err != nil {
		return nil, false, err
	}
	var found []store.Ordinal
	for _, span := range c.txs {
		for row, err := range r.v.Changes(r.ctx, c.typ, span.after, span.upto) {
			if err != nil {
				return nil, false, err
			}
			if len(found) == r.s.tune.rangeCap {
				return nil, false, nil
			}
			found = append(found, row.Ordinal)
		}
	}
	slices.Sort(found)
	return &set{ordinals: slices.Compact(found)}, false, nil
}

func (c *updated) test(r *run, b *batch) error {
	if err := c.find(r); err != nil {
		return err
	}
	if err := r.loadHeaders(b); err != nil {
		return err
	}
	for i := range b.ordinals {
		if b.keep[i] {
			tx := b.headers[i].Tx
			b.keep[i] = slices.ContainsFunc(c.txs, func(t txs) bool { return tx > t.after && tx <= t.upto })
		}
	}
	return nil
}

// newIDs is the condition that _id makes.
func newIDs(typ r4.Code, name, modifier string, values []string) (condition, error) {
	c := &ids{typ: typ, negated: modifier == "not"}
	if modifier != "" && modifier != "not" {
		return nil, refuse(name, "_id does not know the modifier :%s", clip(modifier))
	}
	for _, v := range values {
		c.ids = append(c.ids, unescape(v))
	}
	return c, nil
}

// newUpdated is the condition that _lastUpdated makes (FHIR R4 section 3.1.1.4.7): instants are compared with the whole
// span that a value names.
func newUpdated(typ r4.Code, name, modifier string, values []string, now fhir.Instant) (condition, error) {
	c := &updated{name: name, typ: typ}
	if modifier == "missing" {
		for _, v := range values {
			if v != "true" && v != "false" {
				return nil, refuse(name, "%q is neither true nor false", clip(v))
			}
			c.spans = append(c.spans, instants{0, endOfTime, v == "true"}) // every version has an instant
		}
		return c, nil
	}
	if modifier != "" {
		return nil, refuse(name, "_lastUpdated does not know the modifier :%s", clip(modifier))
	}
	for _, v := range values {
		prefix, text := cutPrefix(v)
		from, to, ok := parseSpan(text)
		if !ok {
			return nil, refuse(name, "%q is no date such as 2026, 2026-01, 2026-01-31 or 2026-01-31T12:30:00Z, behind a prefix such as ge", clip(v))
		}
		span, ok := compare(prefix, from, to, now)
		if !ok {
			return nil, refuse(name, "%q is no prefix", clip(prefix))
		}
		c.spans = append(c.spans, span)
	}
	return c, nil
}

// compare is the span of the instants that stand in the relation to the value's span. An instant has no length, so some
// prefixes mean the same.
func compare(prefix string, from, to, now fhir.Instant) (instants, bool) {
	switch prefix {
	case "", "eq":
		return instants{from: from, to: to}, true
	case "ne":
		return instants{from: from, to: to, outside: true}, true
	case "gt", "sa":
		return instants{from: to, to: endOfTime}, true
	case "lt", "eb":
		return instants{to: from}, true
	case "ge":
		return instants{from: from, to: endOfTime}, true
	case "le":
		return instants{to: to}, true
	case "ap": // a tenth of the time between the span and now
		gap := max(from-now, now-to, 0) / 10
		return instants{from: from - gap, to: to + gap}, true
	}
	return instants{}, false
}

const endOfTime fhir.Instant = 253402300800000

// cutPrefix takes the two letters of a prefix off a value.
func cutPrefix(v string) (prefix, rest string) {
	if len(v) > 2 && v[0] >= 'a' && v[0] <= 'z' && v[1] >= 'a' && v[1] <= 'z' {
		return v[:2], v[2:]
	}
	return "", v
}
