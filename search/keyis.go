package search

import (
	"bytes"
	"fmt"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// keyIs is the condition that a sort key of a resource has a value; or that it has none, where that is nil.
type keyIs struct {
	typ    r4.Code
	key    key
	is     []byte
	values []index.Range // of the single values that give the key; nil where they are too many to tell
}

func (c *keyIs) String() string {
	if c.is == nil {
		return "_sort: no " + c.key.name
	}
	return fmt.Sprintf("_sort: the same %s", c.key.name)
}

func (c *keyIs) cost() int     { return 1 }
func (c *keyIs) param() string { return "_sort" }

// drive holds resources that have the value among others too, so it does not decide.
func (c *keyIs) drive(r *run, e effort, unsure *bool) (stream, bool, error) {
	if c.is == nil {
		if e < most {
			return nil, false, nil
		}
		return c.without(r)
	}
	if c.values == nil {
		return nil, false, nil
	}
	u := &union{}
	for _, rg := range c.values {
		u.parts = append(u.parts, newList(r, c.typ, rg, nil, unsure))
	}
	return u, false, nil
}

// without is the stream of the resources that have no key, dead ones among them.
func (c *keyIs) without(r *run) (stream, bool, error) {
	st, err := r.state(c.typ)
	if err != nil {
		return nil, false, err
	}
	a := newBitmap(st.next, true)
	if err := eachHit(r, c.typ, c.key.by.Ranges(), func(param uint16, value []byte, o store.Ordinal) bool {
		if c.key.by.KeyOf(param, value) != nil {
			a.set(o)
		}
		return true
	}); err != nil {
		return nil, false, err
	}
	return a, true, nil
}

func (c *keyIs) test(r *run, b *batch) error {
	if err := r.load(b); err != nil {
		return err
	}
	for i := range b.ordinals {
		if b.keep[i] {
			k := c.key.by.Key(b.entries[i], c.key.desc)
			b.keep[i] = (k == nil) == (c.is == nil) && bytes.Equal(k, c.is)
		}
	}
	return nil
}

// keyWalk meets resources in the order of a sort key.
type keyWalk interface {
	// next is the next entry: its key and the resource; ok is false at the end. The key is valid until the next call.
	next() (key []byte, o store.Ordinal, ok bool, err error)
	// pass leaves the group of the key at which the walk stands. It gives the values in it, if these are few.
	pass(key []byte) ([]index.Range, error)
	close() error
}

// walkKeys walks in the order of a key from the group of the key from on (nil: from the first); a few entries before
// that may come too.
func (r *run) walkKeys(typ r4.Code, k key, from []byte) (keyWalk, error) {
	switch {
	case k.by != nil:
		return newEntryWalk(r, typ, k, from), nil
	case k.name == "_id":
		return newIDWalk(r, typ, k.desc, from)
	}
	return newUpdateWalk(r, typ, k.desc, from)
}

// valuesOf are the index values that give a key; nil where they are too many.
func (r *run) valuesOf(typ r4.Code, k key, is []byte) (values []index.Range, err error) {
	if k.by == nil {
		return nil, nil
	}
	w := newEntryWalk(r, typ, k, is)
	defer func() { err = closing(err, w.close()) }()
	for {
		now, _, ok, err := w.next()
		if err != nil || !ok {
			return nil, err
		}
		if bytes.Equal(now, is) {
			return w.pass(is)
		}
	}
}
