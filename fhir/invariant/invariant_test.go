package invariant_test

import (
	"slices"
	"strings"
	"testing"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/invariant"
	"tarn/fhir/r4"
)

func parse(t testing.TB, text string) fhir.Node {
	t.Helper()
	doc, err := fhir.NewParser(fhir.Limits{}).Scan([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return doc.Root()
}

func holds(t testing.TB, expression string, focus fhir.Node) bool {
	t.Helper()
	e, err := invariant.Compile(expression)
	if err != nil {
		t.Fatal(err)
	}
	return new(invariant.Evaluator).Holds(e, focus, invariant.Scope{Resource: focus, RootResource: focus})
}

const subject = `{"resourceType":"Patient","id":"p","active":true,"deceasedBoolean":false,"count":3,"size":2.50,"names":["a","b","a"],
	"name":[{"family":"F","given":["x","y"],"period":{"start":"2020-01-01","end":"2021"}},{"family":"G"}],"_birthDate":{"extension":[{"url":"u","valueCode":"c"}]},
	"link":[{"n":1},{"n":2}],"contained":[{"resourceType":"Group","id":"g"}],"text":"has \"quotes\" and \u00e9",
	"low":{"value":1,"unit":"m"},"high":{"value":2,"unit":"m"},"far":{"value":1,"unit":"km"},"extension":[{"url":"e","valueString":"v"}]}`

func TestHolds_followsFHIRPath(t *testing.T) {
	t.Parallel()
	focus := parse(t, subject)
	for expression, want := range map[string]bool{
		`active`: true, `active = true`: true, `deceased.exists()`: true, `deceased = false`: true, `deceased`: false,
		`count = 3`: true, `count > 3`: false, `count >= 3 and size < 2.6`: true, `size = 2.5`: true, `count + 1 = 4`: true, `count - 1 = 2`: true, `-1 < count`: true,
		`name.count() = 2`: true, `name.given.count() = 2`: true, `name.family.isDistinct()`: true, `names.isDistinct()`: false, `names.distinct().count() = 2`: true,
		`name.exists(family = 'G')`: true, `name.exists(family = 'H')`: false, `name.where(family = 'F').given.first() = 'x'`: true,
		`name.given.last() = 'y'`: true, `name.given[1] = 'y'`: true, `name.given.tail().count() = 1`: true, `name.all(family.exists())`: true,
		`name.all(given.exists())`: false, `name.select(family).count() = 2`: true, `'x' in name.given`: true, `name.given contains 'z'`: false,
		`(name.given | names).count() = 4`: true, `names.combine(names).count() = 6`: true, `name.given.intersect('x' | 'q').count() = 1`: true,
		`nothing.empty()`: true, `nothing.exists()`: false, `nothing = 1`: false, `nothing != 1`: false, `nothing.not()`: true, `nothing implies false`: true,
		`true xor false`: true, `true xor true`: false, `active implies count = 3`: true, `active implies count = 4`: false, `false or active`: true,
		`birthDate.exists()`: true, `birthDate.hasValue()`: false, `active.hasValue()`: true, `name.hasValue()`: false,
		`name[0].period.start <= name[0].period.end`: true, `name[0].period.end < name[0].period.start`: false,
		`low < high`: true, `high < low`: false, `low < far`: true, `far < low`: true, // other units: the data cannot decide
		`text.contains('"quotes"')`: true, `text.startsWith('has')`: true, `text.endsWith('é')`: true, `text.matches('has')`: false, `text.matches('has.*')`: true,
		`text.length() = 18`: true, `text.substring(4, 3) = '"qu'`: true, `text.substring(99).empty()`: true, `text.upper().startsWith('HAS')`: true,
		`count.toString() = '3'`: true, `'7'.toInteger() = 7`: true, `'x'.toInteger().empty()`: true, `'a' & 'b' = 'ab'`: true, `nothing & 'b' = 'b'`: true, `'a' + 'b' = 'ab'`: true,
		`contained.ofType(Group).exists()`: true, `contained.ofType(Patient).exists()`: false, `contained[0] is Group`: true, `(active as boolean)`: true, `count is integer`: true, `count is string`: false,
		`Patient.active`: true, `%resource.id = 'p'`: true, `%rootResource.active`: true, `%context.id = 'p'`: true, `%ucum = 'http://unitsofmeasure.org'`: true,
		`extension('e').value = 'v'`: true, `extension('f').empty()`: true, `descendants().where($this = 'x').exists()`: true, `children().where(n = 1).exists()`: true,
		`iif(active, true, false)`: true, `iif(nothing.empty(), true)`: true, `name.trace('t').exists()`: true, `{}.empty()`: true, `link.n.allTrue()`: true,
		"`text`.exists()": true, `link.resolve().exists() or true`: true, `text.replaceMatches('\\s.*', '') = 'has'`: true, `low = low`: true, `low = high`: false,
	} {
		if got := holds(t, expression, focus); got != want {
			t.Errorf("%s is %v, want %v", expression, got, want)
		}
	}
}

func TestCompile_refusesWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	for _, text := range []string{``, `(`, `a.`, `a b`, `a and`, `a.unheard()`, `a.where()`, `%unheard`, `'x`, `a[1`, `a.matches('(')`, `a.exists(`, `-a`, `a is`, `{`,
		`name.memberOf('x')`, strings.Repeat("(", 1000), strings.Repeat("a.where(", 1000)} {
		if _, err := invariant.Compile(text); !fault.Is(err, fault.Unsupported) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

// everyInvariant are the expressions of R4.
func everyInvariant() (all []string) {
	seen := map[*r4.Structure]bool{}
	var walk func(s *r4.Structure)
	add := func(keys []string, path string) {
		for _, key := range keys {
			if inv, ok := r4.InvariantOf(key, path); ok {
				all = append(all, inv.Expression)
			}
		}
	}
	walk = func(s *r4.Structure) {
		if seen[s] {
			return
		}
		seen[s] = true
		add(s.Invariants, s.Name)
		for i := range s.Elements {
			add(s.Elements[i].Invariants, s.Name+"."+s.Elements[i].Name)
			for _, f := range s.Elements[i].Fields {
				walk(f.Type)
			}
		}
	}
	for _, name := range r4.Types() {
		walk(r4.StructureOf(name))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestPresence holds that what is found out before a document is looked at is true of every document: an invariant that
// is said to hold without an element, or with it, holds there, whatever else is there.
func TestPresence_isTrueOfDocuments(t *testing.T) {
	t.Parallel()
	values := []string{`1`, `-3`, `true`, `"x"`, `"display"`, `"2020-01-01"`, `{"code":"x","system":"y"}`, `[{"use":"home"},{"use":"home"}]`, `["a","a"]`, `{"value":1}`}
	said := 0
	for _, text := range everyInvariant() {
		e, err := invariant.Compile(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		elements := slices.Compact(slices.Sorted(slices.Values(e.Elements())))
		check := func(with bool, name, document string) {
			if said++; !new(invariant.Evaluator).Holds(e, parse(t, document), invariant.Scope{}) {
				t.Errorf("%q is said to hold whenever %s is there: %v; it does not in %s", text, name, with, document)
			}
		}
		for _, name := range elements {
			if !e.HoldsWithout(name) && !e.HoldsWith(name) {
				continue
			}
			for round := range 40 {
				document, at := `{"resourceType":"X"`, round
				for i, other := range elements {
					if other != name && (round*7+i*3)%4 != 0 {
						document += `,"` + other + `":` + values[(at+i*5)%len(values)]
					}
				}
				if e.HoldsWithout(name) {
					check(false, name, document+`}`)
				}
				if e.HoldsWith(name) {
					check(true, name, document+`,"`+name+`":`+values[at%len(values)]+`}`)
				}
			}
		}
	}
	if said < 1000 {
		t.Errorf("only %d statements were held", said)
	}
}

func FuzzCompile(f *testing.F) {
	for _, text := range everyInvariant() {
		f.Add(text)
	}
	focus := parse(f, subject)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		e, err := invariant.Compile(text)
		if err != nil {
			return
		}
		new(invariant.Evaluator).Holds(e, focus, invariant.Scope{Resource: focus, RootResource: focus})
		for _, name := range e.Elements() {
			e.HoldsWith(name)
			e.HoldsWithout(name)
		}
	})
}
