package main

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit_cutsOutsideBracketsAndQuotes(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string][]string{
		"":                        nil,
		"A.b":                     {"A.b"},
		"A.b | C.d|E.f":           {"A.b", "C.d", "E.f"},
		"(A.b | A.c).d | C.d":     {"(A.b | A.c).d", "C.d"},
		"A.where(b='x|y') | C.d":  {"A.where(b='x|y')", "C.d"},
		"(A.b as T) | (A.c as U)": {"(A.b as T)", "(A.c as U)"},
	} {
		if diff := cmp.Diff(want, split(expression)); diff != "" {
			t.Errorf("%q:\n%s", expression, diff)
		}
	}
}

func TestAsHL7_writesCastsAsHL7Does(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"(A.b.ofType(T)) | (A.b.ofType(U))":           "(A.b as T) | (A.b as U)",
		"A.onset.ofType(Age) | A.onset.ofType(Range)": "A.onset.as(Age) | A.onset.as(Range)",
		"value.ofType(Quantity)":                      "value.as(Quantity)",
		"A.b.where(c='ofType')":                       "A.b.where(c='ofType')",
	} {
		if got := asHL7(given); got != want {
			t.Errorf("%s: %s, want %s", given, got, want)
		}
	}
}

// terms is a source with one code system, a > b > c and d, whose d says that it is below b, and these value sets.
func terms(t *testing.T, sets string) *source {
	t.Helper()
	src := &source{valueSets: map[string]*valueSet{}, codeSystems: map[string]*codeSystem{}}
	const system = `{"resourceType":"CodeSystem","url":"s","content":"complete","concept":[
		{"code":"a","concept":[{"code":"b","concept":[{"code":"c"}]}]},
		{"code":"d","property":[{"code":"subsumedBy","valueCode":"b"},{"code":"kind","valueCode":"k"}]}]}`
	all := []json.RawMessage{json.RawMessage(system), json.RawMessage(`{"resourceType":"CodeSystem","url":"part","content":"fragment"}`)}
	var more []json.RawMessage
	if err := json.Unmarshal([]byte(sets), &more); err != nil {
		t.Fatal(err)
	}
	for _, text := range append(all, more...) {
		if err := src.add(text); err != nil {
			t.Fatal(err)
		}
	}
	return src
}

func TestExpand_composes(t *testing.T) {
	t.Parallel()
	set := func(compose string) string {
		return `[{"resourceType":"ValueSet","url":"v","compose":` + compose + `},
			{"resourceType":"ValueSet","url":"ab","compose":{"include":[{"system":"s","concept":[{"code":"b"},{"code":"a"},{"code":"a"}]}]}},
			{"resourceType":"ValueSet","url":"round","compose":{"include":[{"valueSet":["round"]}]}}]`
	}
	for compose, want := range map[string]string{
		`{"include":[{"system":"s"}]}`: "s:a,b,c,d",
		`{"include":[{"system":"s","concept":[{"code":"x"}]},{"system":"t","concept":[{"code":"y"}]}]}`:             "s:x t:y",
		`{"include":[{"system":"s","filter":[{"property":"concept","op":"is-a","value":"b"}]}]}`:                    "s:b,c,d",
		`{"include":[{"system":"s","filter":[{"property":"concept","op":"descendent-of","value":"b"}]}]}`:           "s:c,d",
		`{"include":[{"system":"s","filter":[{"property":"concept","op":"is-not-a","value":"b"}]}]}`:                "s:a",
		`{"include":[{"system":"s","filter":[{"property":"kind","op":"=","value":"k"}]}]}`:                          "s:d",
		`{"include":[{"system":"s"}],"exclude":[{"system":"s","concept":[{"code":"c"}]}]}`:                          "s:a,b,d",
		`{"include":[{"valueSet":["ab|4.0.1"]}]}`:                                                                   "s:a,b",
		`{"include":[{"system":"s","valueSet":["ab"],"filter":[{"property":"concept","op":"is-a","value":"b"}]}]}`:  "s:b",
		`{"include":[{"valueSet":["round"]}]}`:                                                                      "!",
		`{"include":[{"system":"part"}]}`:                                                                           "!",
		`{"include":[{"system":"unknown"}]}`:                                                                        "!",
		`{"include":[{"system":"s","filter":[{"property":"concept","op":"regex","value":"b"}]}]}`:                   "!",
		`{"include":[{"system":"s","concept":[{"code":"x"}]}],"exclude":[{"system":"s","concept":[{"code":"x"}]}]}`: "!",
	} {
		codes, err := terms(t, set(compose)).expand("v")
		var parts []string
		for _, system := range slices.Sorted(maps.Keys(codes)) {
			parts = append(parts, system+":"+strings.Join(codes[system], ","))
		}
		got := strings.Join(parts, " ")
		if err != nil {
			got = "!"
		}
		if got != want {
			t.Errorf("%s: %s (%v), want %s", compose, got, err, want)
		}
	}
}

func TestCorrections_failWhereTheyDoNotFit(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]correction{
		"an unknown structure": {Structure: "Nowhere"},
		"an unknown parameter": {Param: "nowhere"},
		"an unknown element":   {Structure: "A", Drop: []string{"A.x"}},
		"no place":             {Structure: "A", Put: []*element{{ID: "A.y"}}, After: "A.x"},
	} {
		src := &source{structures: map[string]*structureDefinition{"A": {Name: "A"}}}
		src.structures["A"].Snapshot.Element = []*element{{ID: "A"}, {ID: "A.b"}}
		if err := src.apply(c); err == nil {
			t.Errorf("%s is passed over", what)
		}
	}
}

func TestParamCodes_areOnlyAppended(t *testing.T) {
	t.Parallel()
	committed, err := os.ReadFile("../param_codes.txt")
	if err != nil {
		t.Fatal(err)
	}
	names := strings.Fields(string(committed))
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			t.Errorf("%s has two numbers", name)
		}
	}
	p := &params{names: slices.Clone(names), all: []*param{{name: "zz"}, {name: "name"}, {name: "aa"}}}
	if err := p.finish(nil); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append(names, "aa", "zz"), p.names); diff != "" {
		t.Error(diff)
	}
}
