package kv

import (
	"bytes"
	"iter"

	"tarn/fault"
)

// CheckSpace reports whether name may name a space: 1 to 63 of a-z, 0-9, '-' and '_'. Engines call it first.
func CheckSpace(name string) error {
	if len(name) == 0 || len(name) > 63 {
		return fault.Errorf(fault.Invalid, "kv.CheckSpace", "the name of a space has 1 to 63 bytes, not %d", len(name))
	}
	for _, c := range []byte(name) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return fault.Errorf(fault.Invalid, "kv.CheckSpace", "the name of a space has a-z, 0-9, '-' and '_' only, not %q", c)
		}
	}
	return nil
}

// CheckKey reports whether key may stand in a space: 1 to MaxKey bytes. Engines call it on lock keys.
func CheckKey(key []byte) error {
	switch {
	case len(key) == 0:
		return fault.Errorf(fault.Invalid, "kv.CheckKey", "empty key")
	case len(key) > MaxKey:
		return fault.Errorf(fault.TooLarge, "kv.CheckKey", "key of %d bytes is over the limit of %d", len(key), MaxKey)
	}
	return nil
}

// CheckEntries passes on what seq yields until an entry breaks a bound or the order that Space.Load asks for; then it
// yields the error and ends. It keeps a copy of the last key only.
func CheckEntries(seq iter.Seq2[Entry, error]) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		var last []byte
		for e, err := range seq {
			if err == nil {
				err = checkEntry(last, e)
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			last = append(last[:0], e.Key...)
			if !yield(e, nil) {
				return
			}
		}
	}
}

func checkEntry(last []byte, e Entry) error {
	if err := CheckKey(e.Key); err != nil {
		return err
	}
	if len(e.Value) > MaxValue {
		return fault.Errorf(fault.TooLarge, "kv.CheckEntries", "value of %d bytes is over the limit of %d", len(e.Value), MaxValue)
	}
	if bytes.Compare(last, e.Key) >= 0 {
		return fault.Errorf(fault.Invalid, "kv.CheckEntries", "entries are not in strictly ascending key order")
	}
	return nil
}
