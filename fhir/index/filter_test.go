package index_test

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

const base = "http://localhost:8080/datastore/1/r4"

var env = index.Env{Base: base, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}

// reporter is a testing.T or a rapid.T.
type reporter interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// resource is a document with its entries, uncut and as the store keeps them.
type resource struct {
	typ        r4.Code
	full, kept []fhir.IndexEntry
}

func read(t reporter, text string) resource {
	t.Helper()
	parser := fhir.NewParser(fhir.Limits{})
	doc, err := parser.Scan([]byte(text))
	if err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	typ, ok := r4.CodeOfBytes(doc.Root().Member("resourceType").Text())
	if !ok {
		t.Fatalf("no type: %s", text)
	}
	r := resource{typ: typ, full: index.NewExtractor().ExtractOwned(doc, typ)}
	r.kept = keep(r.full)
	return r
}

// keep is what the store makes of entries.
func keep(full []fhir.IndexEntry) (kept []fhir.IndexEntry) {
	for _, e := range full {
		v, _ := store.IndexValue(e.Value)
		kept = append(kept, fhir.IndexEntry{Param: e.Param, Value: v})
	}
	compare := func(a, b fhir.IndexEntry) int {
		return cmp.Or(cmp.Compare(a.Param, b.Param), bytes.Compare(a.Value, b.Value))
	}
	slices.SortFunc(kept, compare)
	return slices.CompactFunc(kept, func(a, b fhir.IndexEntry) bool { return compare(a, b) == 0 })
}

// compile compiles name:modifier=values.
func compile(typ r4.Code, query string, env index.Env) (*index.Filter, error) {
	name, text, _ := strings.Cut(query, "=")
	name, modifier, _ := strings.Cut(name, ":")
	p := typ.Param(name)
	if p == nil {
		panic(typ.String() + " has no parameter " + name)
	}
	var values []string
	from := 0
	for i := 0; i <= len(text); i++ {
		switch {
		case i == len(text) || text[i] == ',':
			values, from = append(values, text[from:i]), i+1
		case text[i] == '\\':
			i++
		}
	}
	return index.Compile(typ, p, modifier, values, env)
}

// verdict asks a filter in each way and holds that all ways agree.
func verdict(t reporter, f *index.Filter, r resource) bool {
	t.Helper()
	full := f.MatchFull(r.full)
	if got := f.Match(r.kept); got != index.Unsure && (got == index.Yes) != full {
		t.Errorf("%s: kept entries say %v, the document says %v", f, got, full)
	}
	found := false
	for _, e := range r.kept {
		inside := slices.ContainsFunc(f.Ranges(), func(in index.Range) bool { return holds(in, e) })
		switch v := f.Accept(e.Param, e.Value); {
		case v != index.No && !inside:
			t.Errorf("%s: %v accepts %q beyond its ranges", f, v, e.Value)
		case v != index.Yes && inside && f.Exact():
			t.Errorf("%s: exact, but not of %q", f, e.Value)
		case v != index.No:
			found = true
		}
	}
	if full != f.Negated() && !found {
		t.Errorf("%s: the document matches, and no entry does", f)
	}
	return full
}

func holds(in index.Range, e fhir.IndexEntry) bool {
	return in.Param == e.Param && bytes.HasPrefix(e.Value, in.Prefix) && bytes.Compare(e.Value, in.From) >= 0 &&
		(in.To == nil || bytes.Compare(e.Value, in.To) < 0)
}

// check holds the queries that a document matches and those that it does not.
func check(t *testing.T, document string, matches, misses []string) {
	t.Helper()
	r := read(t, document)
	for _, want := range []bool{true, false} {
		queries := misses
		if want {
			queries = matches
		}
		for _, q := range queries {
			f, err := compile(r.typ, q, env)
			if err != nil {
				t.Errorf("%s: %v", q, err)
				continue
			}
			if got := verdict(t, f, r); got != want {
				t.Errorf("%s is %v, want %v: %s", q, got, want, document)
			}
		}
	}
}

// refused holds that each query is refused with an outcome that names the parameter.
func refused(t *testing.T, typ string, queries ...string) {
	t.Helper()
	code, _ := r4.CodeOf(typ)
	for _, q := range queries {
		_, err := compile(code, q, env)
		var outcome *fhir.OutcomeError
		if !errors.As(err, &outcome) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", q, err)
			continue
		}
		name, _, _ := strings.Cut(q, "=")
		if issue := outcome.Issues[0]; !strings.Contains(issue.Details, `"`+name+`"`) || issue.Severity != fhir.SeverityError || issue.Code == "" {
			t.Errorf("%s: %+v", q, issue)
		}
	}
}
