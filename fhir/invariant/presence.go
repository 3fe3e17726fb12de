package invariant

// Most constraints hold at once when a certain element is absent, or when one is there: dataAbsentReason.empty() or
// value.empty() needs both to fail. Finding such elements beforehand spares nearly every evaluation.

// state is what is known of a collection while the document is not looked at.
type state uint8

const (
	stateAny   state = iota // nothing is known
	stateEmpty              // the collection is empty
	stateSome               // it has items
	stateYes
	stateNo
)

// HoldsWithout reports whether the constraint holds wherever the focus has no element of this name, whatever else it has.
func (e *Expr) HoldsWithout(element string) bool {
	return holds(presence(e.root, element, stateEmpty))
}

// HoldsWith reports whether the constraint holds wherever the focus has an element of this name.
func (e *Expr) HoldsWith(element string) bool {
	return holds(presence(e.root, element, stateSome))
}

// Elements are the names of the elements of the focus that the constraint mentions.
func (e *Expr) Elements() []string {
	var names []string
	var walk func(x *expr)
	walk = func(x *expr) {
		if x == nil {
			return
		}
		if x.op == opMember && (x.a == nil || x.a.op == opThis) {
			names = append(names, x.name)
		}
		walk(x.a)
		walk(x.b)
		for _, a := range x.args {
			walk(a)
		}
	}
	walk(e.root)
	return names
}

func holds(s state) bool { return s == stateYes }

// presence evaluates with the knowledge of one element of the focus only.
func presence(e *expr, element string, is state) state {
	of := func(x *expr) state { return presence(x, element, is) }
	switch e.op {
	case opMember:
		if e.a == nil || e.a.op == opThis {
			if e.name == element {
				return is
			}
			return stateAny
		}
		if of(e.a) == stateEmpty {
			return stateEmpty
		}
	case opBoolean:
		if e.number == 1 {
			return stateYes
		}
		return stateNo
	case opString, opNumber, opThis:
		return stateSome
	case opEmpty:
		return stateEmpty
	case opIndex, opType:
		if of(e.a) == stateEmpty {
			return stateEmpty
		}
	case opCall:
		if e.a == nil {
			return stateAny
		}
		return presenceOfCall(e, of(e.a))
	case opBinary:
		return presenceOfBinary(e, of)
	}
	return stateAny
}

func presenceOfCall(e *expr, in state) state {
	empty, some := in == stateEmpty, in != stateEmpty && in != stateAny
	switch e.name {
	case "exists":
		switch {
		case empty:
			return stateNo
		case some && len(e.args) == 0:
			return stateYes
		}
	case "empty":
		switch {
		case empty:
			return stateYes
		case some:
			return stateNo
		}
	case "not":
		switch in {
		case stateYes:
			return stateNo
		case stateNo, stateEmpty:
			return stateYes
		}
	case "all", "isDistinct", "allTrue":
		if empty {
			return stateYes
		}
	case "hasValue", "anyTrue":
		if empty {
			return stateNo
		}
	case "count":
		return stateSome
	case "where", "select", "first", "last", "tail", "distinct", "intersect", "descendants", "children", "toInteger", "toString", "trace",
		"substring", "startsWith", "endsWith", "contains", "matches", "as", "ofType", "extension", "length", "single", "getValue":
		if empty {
			return stateEmpty
		}
		if some && e.name == "trace" {
			return in
		}
	}
	return stateAny
}

func presenceOfBinary(e *expr, of func(*expr) state) state {
	a, b := of(e.a), of(e.b)
	switch e.name {
	case "and", "or", "implies":
		return presenceOfLogic(e.name, a, b)
	case "xor":
		yesNo := func(s state) bool { return s == stateYes || s == stateNo }
		switch {
		case a == stateEmpty || b == stateEmpty:
			return stateEmpty
		case yesNo(a) && yesNo(b) && a != b:
			return stateYes
		case yesNo(a) && yesNo(b):
			return stateNo
		}
	case "=", "!=", "<", ">", "<=", ">=":
		if a == stateEmpty || b == stateEmpty {
			return stateEmpty
		}
	case "in":
		if a == stateEmpty {
			return stateEmpty
		}
	case "contains":
		if b == stateEmpty {
			return stateEmpty
		}
	case "|":
		if a == stateEmpty && b == stateEmpty {
			return stateEmpty
		}
		if a == stateSome || b == stateSome {
			return stateSome
		}
	}
	return stateAny
}

// presenceOfLogic is three-valued logic, in which stateSome counts as true and stateAny may be anything.
func presenceOfLogic(operator string, a, b state) state {
	truth := func(s state) state {
		if s == stateSome {
			return stateAny // one item that may be the Boolean false
		}
		return s
	}
	a, b = truth(a), truth(b)
	flip := func(s state) state {
		switch s {
		case stateYes:
			return stateNo
		case stateNo:
			return stateYes
		}
		return s
	}
	switch operator {
	case "implies":
		if a == stateEmpty {
			return stateYes
		}
		return presenceOfLogic("or", flip(a), b)
	case "or":
		return flip(presenceOfLogic("and", flip(a), flip(b)))
	}
	switch {
	case a == stateNo || b == stateNo:
		return stateNo
	case a == stateAny || b == stateAny:
		return stateAny
	case a == stateEmpty || b == stateEmpty:
		return stateEmpty
	}
	return stateYes
}
