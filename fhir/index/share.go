package index

import (
	"cmp"
	"slices"
	"strings"

	"tarn/fhir/path"
	"tarn/fhir/r4"
)

// unit is a parameter while a plan is made. Many parameters are parts of others: patient is subject where that is a
// Patient, combo-code is code and component-code together. Such a parameter has no entries of its own but is looked up
// where the others have theirs; of Synthea's resources that spares one entry in eight.
type unit struct {
	param *r4.SearchParam
	query path.Query
	types []r4.ParamType // of each part
	keys  []string       // what it selects: one key for each path, sorted
	slots []slot
}

// own reports whether the parameter has entries of its own.
func (u *unit) own() bool { return len(u.slots) == 1 && u.slots[0].param == uint16(u.param.Code) }

// unindexed are the parameters that the store answers without the index.
var unindexed = map[string]bool{"_id": true, "_lastUpdated": true}

// unitsOf are the parameters of a type with an expression, and who shares whose entries.
func unitsOf(typ r4.Code) []*unit {
	var units []*unit
	for _, p := range typ.Params() {
		if p.Expression == "" || unindexed[p.Name] {
			continue
		}
		u := &unit{param: p, types: []r4.ParamType{p.Type}}
		paths := parsed(p.Expression)
		tail := p.Type.String()
		if p.Type == r4.ParamComposite {
			u.types, u.query.Base = nil, paths
			for _, c := range p.Components {
				part := parsed(c.Expression)
				u.types, u.query.Parts = append(u.types, c.Param.Type), append(u.query.Parts, part)
				tail += " " + c.Param.Type.String() + " " + written(part)
			}
		} else {
			u.query.Parts = [][]path.Path{paths}
		}
		for _, one := range paths {
			u.keys = append(u.keys, one.String()+" "+tail)
		}
		slices.Sort(u.keys)
		u.keys = slices.Compact(u.keys)
		units = append(units, u)
	}
	share(units)
	return units
}

func parsed(expression string) []path.Path {
	paths, err := path.Parse(expression)
	if err != nil {
		panic(err)
	}
	return paths
}

func written(paths []path.Path) string {
	var all []string
	for _, p := range paths {
		all = append(all, p.String())
	}
	slices.Sort(all)
	return strings.Join(all, " | ")
}

// share decides whose entries each parameter uses. Those that select least come first and have their own.
func share(units []*unit) {
	order := slices.Clone(units)
	slices.SortStableFunc(order, func(a, b *unit) int {
		if ta, tb := a.target() != "", b.target() != ""; ta != tb {
			if ta {
				return 1
			}
			return -1
		}
		return cmp.Compare(len(a.keys), len(b.keys))
	})
	var owners []*unit
	for _, u := range order {
		if u.slots = cover(u.keys, owners, 0); u.slots == nil {
			if target, ok := r4.CodeOf(u.target()); ok {
				u.slots = cover(u.untargeted(), owners, target)
			}
		}
		if u.slots == nil {
			u.slots = []slot{{param: uint16(u.param.Code)}}
			owners = append(owners, u)
		}
	}
}

// cover finds owners that together select exactly the keys, each key once; nil if there are none.
func cover(keys []string, owners []*unit, only r4.Code) (slots []slot) {
	left := slices.Clone(keys)
	for _, o := range slices.Backward(owners) { // the largest first
		if containsAll(left, o.keys) {
			left = slices.DeleteFunc(left, func(k string) bool { return slices.Contains(o.keys, k) })
			slots = append(slots, slot{uint16(o.param.Code), only})
		}
	}
	if len(left) > 0 {
		return nil
	}
	return slots
}

func containsAll(all, some []string) bool {
	return !slices.ContainsFunc(some, func(k string) bool { return !slices.Contains(all, k) })
}

// target is the type that all paths restrict their references to, or empty.
func (u *unit) target() string {
	if u.query.Base != nil {
		return ""
	}
	target := u.query.Parts[0][0].Target
	for _, p := range u.query.Parts[0] {
		if p.Target != target {
			return ""
		}
	}
	return target
}

// untargeted are the keys without that restriction.
func (u *unit) untargeted() []string {
	var keys []string
	for _, p := range u.query.Parts[0] {
		p.Target = ""
		keys = append(keys, p.String()+" "+u.param.Type.String())
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}
