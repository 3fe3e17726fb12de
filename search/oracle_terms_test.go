package search_test

import (
	"slices"
	"strings"

	"tarn/fhir/r4"
)

// tree is a code system: the parent of each code.
type tree struct {
	order   []string
	parents map[string]*string // of a code at the top: the empty text
}

// terms are what was worked out of the stored code systems and value sets since one of them changed.
type terms struct {
	systems map[string]*tree
	sets    []valueSet
}

func (o *oracle) changed(typ r4.Code) {
	if name := typ.String(); name == "ValueSet" || name == "CodeSystem" {
		o.terms = terms{}
	}
}

func (o *oracle) codeSystem(url string) *tree {
	t, ok := o.terms.systems[url]
	if !ok {
		if o.terms.systems == nil {
			o.terms.systems = map[string]*tree{}
		}
		t = o.readSystem(url)
		o.terms.systems[url] = t
	}
	return t
}

// readSystem is the one code system of that URL that is stored completely; nil if there is none.
func (o *oracle) readSystem(url string) *tree {
	var found map[string]any
	for _, d := range o.byType[mustCode("CodeSystem")] {
		if d.body["url"] != url {
			continue
		}
		if found != nil || d.body["content"] != "complete" {
			return nil
		}
		found = d.body
	}
	if found == nil || url == "" {
		return nil
	}
	t := &tree{parents: map[string]*string{}}
	t.add(list(found["concept"]), "")
	return t
}

func (t *tree) add(concepts []any, parent string) {
	for _, c := range concepts {
		code := str(object(c)["code"])
		t.order = append(t.order, code)
		t.parents[code] = &parent
		t.add(list(object(c)["concept"]), code)
	}
}

// above are the code and all that it is a kind of.
func (t *tree) above(code string) (all []string) {
	for code != "" {
		all = append(all, code)
		parent := t.parents[code]
		if parent == nil {
			return nil
		}
		code = *parent
	}
	return all
}

// below are the code and all kinds of it.
func (t *tree) below(code string) []string {
	return slices.DeleteFunc(slices.Clone(t.order), func(c string) bool { return !slices.Contains(t.above(c), code) })
}

// valueSet is one that can be listed, in the form that its definition has.
type valueSet struct {
	url, form string
	codes     []tok
}

func (s valueSet) has(t tok) bool {
	return slices.ContainsFunc(s.codes, func(c tok) bool { return (c.system == "" || t.from(c.system)) && t.is(c.code) })
}

// standard are two value sets to which the standard binds elements, as HL7 publishes them.
var standard = []valueSet{
	{"http://hl7.org/fhir/ValueSet/administrative-gender", "bound", codesOf("http://hl7.org/fhir/administrative-gender", "male female other unknown")},
	{"http://hl7.org/fhir/ValueSet/observation-status|4.0.1", "bound",
		codesOf("http://hl7.org/fhir/observation-status", "registered preliminary final amended corrected cancelled entered-in-error unknown")},
}

func codesOf(system, codes string) (all []tok) {
	for code := range strings.FieldsSeq(codes) {
		all = append(all, tok{system: system, code: code})
	}
	return all
}

// valueSets are those that were invented for these tests and are stored, once each, and two of the standard.
func (o *oracle) valueSets() []valueSet {
	if o.terms.sets != nil {
		return o.terms.sets
	}
	all := slices.Clone(standard)
	for _, d := range o.byType[mustCode("ValueSet")] {
		url := str(d.body["url"])
		if s := o.valueSet(url); s != nil && strings.HasPrefix(url, invented) {
			all = append(all, *s)
		}
	}
	o.terms.sets = all
	return all
}

func (o *oracle) valueSet(url string) *valueSet {
	if at := slices.IndexFunc(standard, func(s valueSet) bool { return s.url == url }); at >= 0 {
		return &standard[at]
	}
	var found map[string]any
	for _, d := range o.byType[mustCode("ValueSet")] {
		if d.body["url"] == url {
			if found != nil {
				return nil
			}
			found = d.body
		}
	}
	if found == nil {
		return nil
	}
	if contains := list(object(found["expansion"])["contains"]); contains != nil {
		return &valueSet{url, "expansion", contained(contains)}
	}
	compose := object(found["compose"])
	s := &valueSet{url: url, form: str(found["name"])}
	for _, part := range list(compose["include"]) {
		codes, ok := o.part(object(part))
		if !ok {
			return nil
		}
		s.codes = append(s.codes, codes...)
	}
	for _, part := range list(compose["exclude"]) {
		codes, ok := o.part(object(part))
		if !ok {
			return nil
		}
		s.codes = slices.DeleteFunc(s.codes, func(t tok) bool { return holds(codes, t) })
	}
	return s
}

func holds(codes []tok, t tok) bool {
	return slices.ContainsFunc(codes, func(c tok) bool { return c.system == t.system && c.code == t.code })
}

func contained(contains []any) (all []tok) {
	for _, c := range contains {
		if c := object(c); c["abstract"] != true && str(c["code"]) != "" {
			all = append(all, tok{system: str(c["system"]), code: str(c["code"])})
		}
		all = append(all, contained(list(object(c)["contains"]))...)
	}
	return all
}

// part lists an include or exclude: the system, narrowed by concepts, filters and other value sets.
func (o *oracle) part(m map[string]any) (codes []tok, ok bool) {
	system := str(m["system"])
	if concepts := list(m["concept"]); concepts != nil {
		for _, c := range concepts {
			codes = append(codes, tok{system: system, code: str(object(c)["code"])})
		}
	} else if system != "" {
		t := o.codeSystem(system)
		if t == nil {
			return nil, false
		}
		for _, code := range t.order {
			if t.passes(code, list(m["filter"])) {
				codes = append(codes, tok{system: system, code: code})
			}
		}
	}
	for i, url := range list(m["valueSet"]) {
		other := o.valueSet(str(url))
		if other == nil {
			return nil, false
		}
		if i == 0 && system == "" {
			codes = slices.Clone(other.codes)
		}
		codes = slices.DeleteFunc(codes, func(t tok) bool { return !holds(other.codes, t) })
	}
	return codes, true
}

func (t *tree) passes(code string, filters []any) bool {
	return !slices.ContainsFunc(filters, func(f any) bool {
		value := str(object(f)["value"])
		isA := slices.Contains(t.above(code), value)
		switch str(object(f)["op"]) {
		case "is-a":
			return !isA
		case "descendent-of":
			return !isA || code == value
		case "is-not-a":
			return isA
		case "=":
			return code != value
		}
		panic(f)
	})
}
