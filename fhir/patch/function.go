package patch

import (
	"strconv"
	"strings"
)

// call is a function of the subset on a collection; the parser lets no others through.
func (s *step) call(e *editor, on []thing) ([]thing, error) {
	switch s.function {
	case "$this":
		return on, nil
	case "%resource", "%context":
		p, err := e.resource()
		return []thing{{place: p}}, err
	case "first":
		return part(on, 0, 1), nil
	case "last":
		return part(on, len(on)-1, len(on)), nil
	case "tail":
		return part(on, 1, len(on)), nil
	case "skip":
		return part(on, s.number, len(on)), nil
	case "take":
		return part(on, 0, s.number), nil
	case "single":
		if len(on) > 1 {
			return nil, cannot("single() finds %d elements", len(on))
		}
		return on, nil
	case "where":
		return where(e, on, s.argument)
	case "ofType", "as":
		return ofType(on, s.text), nil
	case "extension":
		return extension(e, on, s.text)
	case "exists":
		if s.argument != nil {
			var err error
			if on, err = where(e, on, s.argument); err != nil {
				return nil, err
			}
		}
		return boolean(len(on) > 0), nil
	case "empty":
		return boolean(len(on) == 0), nil
	case "count":
		return []thing{{literal: literalNumber, text: strconv.Itoa(len(on))}}, nil
	}
	return s.ask(on)
}

// ask is a function of one value.
func (s *step) ask(on []thing) ([]thing, error) {
	if len(on) == 0 && s.function != "hasValue" {
		return nil, nil
	}
	if len(on) != 1 {
		return boolean(false), nil
	}
	t, ok := on[0].scalar()
	isText := ok && t.literal == literalText
	switch s.function {
	case "not":
		ok = ok && t.literal == literalBoolean && t.text == "false"
	case "startsWith":
		ok = isText && strings.HasPrefix(t.text, s.text)
	case "endsWith":
		ok = isText && strings.HasSuffix(t.text, s.text)
	case "contains":
		ok = isText && strings.Contains(t.text, s.text)
	}
	return boolean(ok), nil
}

// where keeps the elements for which a condition holds.
func where(e *editor, on []thing, condition expression) ([]thing, error) {
	var kept []thing
	for _, t := range on {
		ok, err := holds(e, condition, t)
		if err != nil {
			return nil, err
		}
		if ok {
			kept = append(kept, t)
		}
	}
	return kept, nil
}

// ofType keeps the elements of a type.
func ofType(on []thing, name string) []thing {
	var kept []thing
	for _, t := range on {
		if t.place != nil && t.place.typ.Name == name {
			kept = append(kept, t)
		}
	}
	return kept
}

// extension goes to the extensions with this URL.
func extension(e *editor, on []thing, url string) ([]thing, error) {
	all, err := (&step{member: "extension"}).into(e, on, false)
	if err != nil {
		return nil, err
	}
	return where(e, all, comparison{left: steps{{member: "url"}}, right: literal{thing{literal: literalText, text: url}}})
}
