package iam

import (
	"strings"

	"tarn/access"
)

// condition is one operator on one key with its values. A statement needs all of its conditions to hold.
type condition struct {
	op       operator
	quantity quantity
	ifExists bool
	key      string // in lower case
	values   []operand
}

// quantity is the set operator before an operator.
type quantity uint8

const (
	single quantity = iota
	forAll          // ForAllValues:
	forAny          // ForAnyValue:
)

// holds tells whether the condition is met. Without the key: a negated operator holds and any other does not; with
// IfExists and ForAllValues it holds; with ForAnyValue it does not.
func (c *condition) holds(r *access.Request) bool {
	var room [1]string
	values := r.Values(c.key, &room)
	if c.op.family == ofNull {
		for i := range c.values {
			if c.values[i].truth == (len(values) == 0) {
				return true
			}
		}
		return false
	}
	if len(values) == 0 {
		switch {
		case c.ifExists:
			return true
		case c.quantity == forAll:
			return true
		case c.quantity == forAny:
			return false
		}
		return c.op.negated
	}
	switch c.quantity {
	case forAll:
		for _, v := range values {
			if c.fitsAny(v, r) == c.op.negated {
				return false
			}
		}
		return true
	case forAny:
		for _, v := range values {
			if c.fitsAny(v, r) != c.op.negated {
				return true
			}
		}
		return false
	}
	// A key of several values under a plain operator: one that fits is enough, and spoils a negated one.
	for _, v := range values {
		if c.fitsAny(v, r) {
			return !c.op.negated
		}
	}
	return c.op.negated
}

func (c *condition) fitsAny(value string, r *access.Request) bool {
	for i := range c.values {
		if c.op.fits(&c.values[i], value, r) {
			return true
		}
	}
	return false
}

// parseOperator reads an operator with its prefix and suffix.
func parseOperator(name string) (op operator, q quantity, ifExists bool, problem string) {
	base := name
	if rest, ok := strings.CutPrefix(base, "ForAllValues:"); ok {
		q, base = forAll, rest
	} else if rest, ok := strings.CutPrefix(base, "ForAnyValue:"); ok {
		q, base = forAny, rest
	}
	if rest, ok := strings.CutSuffix(base, "IfExists"); ok {
		ifExists, base = true, rest
	}
	op, ok := operators[base]
	switch {
	case !ok:
		problem = "unknown condition operator"
		for known := range operators {
			if strings.EqualFold(known, base) {
				problem += `; did you mean "` + known + `"?`
			}
		}
	case op.family == ofNull && (ifExists || q != single):
		problem = "Null takes neither a set operator nor IfExists: it asks itself whether the key exists"
	}
	return op, q, ifExists, problem
}
