package index

import (
	"bytes"
	"iter"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// Target is what a reference of a resource points to: a local resource by Type and ID, at a Version if it says so, or a
// conformance resource by Canonical, its url.
type Target struct {
	Type      r4.Code
	ID        string
	Version   string // of a canonical: its business version
	Canonical string
}

// Targets are the targets of a reference parameter of a resource, for chains and includes. base is that of Env. Foreign,
// contained and logical references are left out, and so are references that the store has cut.
func Targets(typ r4.Code, p *r4.SearchParam, kept []fhir.IndexEntry, base string) iter.Seq[Target] {
	of := planOf(typ).params[p.Code]
	return func(yield func(Target) bool) {
		if of == nil {
			return
		}
		for _, e := range kept {
			for _, s := range of.slots {
				if s.param != e.Param {
					continue
				}
				if t, ok := targetOf(e.Value, base); ok && (s.only == 0 || s.only == t.Type) && !yield(t) {
					return
				}
			}
		}
	}
}

func targetOf(v []byte, base string) (t Target, ok bool) {
	if len(v) == 0 || len(v) > maxKept {
		return t, false
	}
	first, rest, ok := bytes.Cut(v[1:], []byte{sep})
	switch {
	case v[0] == formCanonical:
		return Target{Canonical: string(first), Version: string(rest)}, ok
	case v[0] != formReference || len(rest) == 0 || rest[0] <= typeOffset || rest[0] == typeUnknown:
		return t, false
	}
	where, version, _ := bytes.Cut(rest[1:], []byte{sep})
	if len(where) > 0 && string(where) != base {
		return t, false
	}
	return Target{Type: r4.Code(rest[0] - typeOffset), ID: string(first), Version: string(version)}, true
}

// TargetOf is the target of one value of a reference parameter, as Targets has it.
func TargetOf(kept []byte, base string) (Target, bool) { return targetOf(kept, base) }

// AppendReference appends the value of a reference to a local resource that is relative and names no version. The values
// of other references to it by id begin with the same bytes.
func AppendReference(dst []byte, typ r4.Code, id string) []byte {
	return append(append(append(append(dst, formReference), id...), sep), typeByte(typ))
}

// References are the parts of the index that hold the references by id of a parameter that may lead to a type.
func References(typ r4.Code, p *r4.SearchParam, target r4.Code) (all []Range) {
	of := planOf(typ).params[p.Code]
	if of == nil {
		return nil
	}
	for _, s := range of.slots {
		if s.only == 0 || s.only == target {
			all = append(all, Range{Param: s.param, From: []byte{formReference}, To: []byte{formReference + 1}})
		}
	}
	return all
}
