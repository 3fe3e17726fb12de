package search

import (
	"slices"
	"strconv"
	"strings"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// Request is one search as a face received it.
type Request struct {
	Datastore string
	Base      string       // of the data store's URLs, with a slash at its end
	Type      r4.Code      // 0: those of _type, or all
	Within    *Compartment // the compartment in the path, or nil
	Pairs     []Pair       // of the URL and the body
	Strict    bool         // Prefer: handling=strict: a parameter that is not known is an error
	Scope     Scope
	At        store.TxID // as of which the first page is; 0: as of now
}

// path is the request's below the base.
func (q *Request) path() string {
	typ := "*"
	if q.Type != 0 {
		typ = q.Type.String()
	}
	if q.Within != nil {
		return q.Within.Type.String() + "/" + q.Within.ID + "/" + typ
	}
	if q.Type == 0 {
		return ""
	}
	return typ
}

// query is a request taken apart: what is searched for, and how it is shown.
type query struct {
	used     []Pair // what had a meaning, in its order; links are made of it
	filters  []Pair
	types    []r4.Code // of _type
	sort     []sortName
	count    int
	includes []include
	summary  string // true, text, data, count, or empty
	elements []string
	total    string // none, estimate, accurate, or empty
	explain  bool
	warnings []fhir.Issue
}

// sortName is one key of _sort.
type sortName struct {
	name string
	desc bool
}

// parse takes the parameters apart; those that say how results are shown are checked as far as no type is needed.
func parse(pairs []Pair, system bool) (*query, error) {
	if len(pairs) > MaxParameters {
		return nil, refuseAs(codeTooCostly, pairs[MaxParameters].Name, "there are more than %d parameters", MaxParameters)
	}
	q := &query{count: DefaultCount}
	for i, p := range pairs {
		if p.Value == "" { // FHIR R4 section 3.1.1.4: parameters without a value are passed over
			continue
		}
		if last := lastOf(pairs, p.Name); single[p.Name] && last != i {
			continue
		}
		var err error
		switch name := bare(p.Name); {
		case !results[name]:
			if name != "_format" && name != "_pretty" {
				if !slices.Contains(q.filters, p) { // what is said twice means no more
					q.filters = append(q.filters, p)
				}
				continue // whether it is used shows later
			}
		case name != p.Name && name != "_include" && name != "_revinclude":
			err = refuse(p.Name, "%s has no modifiers", name)
		default:
			err = q.show(p, system)
		}
		if err != nil {
			return nil, err
		}
		q.used = append(q.used, p)
	}
	if err := checkSteps(q.filters); err != nil {
		return nil, err
	}
	if len(q.includes) > MaxIncludes {
		return nil, refuseAs(codeTooCostly, "_include", "there are %d of them; the limit is %d", len(q.includes), MaxIncludes)
	}
	switch {
	case q.summary != "" && q.elements != nil:
		return nil, refuse("_elements", "it contradicts _summary")
	case q.summary == "text" && len(q.includes) > 0:
		return nil, refuse("_summary", "text cannot be used with _include and _revinclude")
	}
	return q, nil
}

// single are the parameters of which the last counts.
var single = map[string]bool{"_count": true, "_sort": true, "_summary": true, "_total": true, "_elements": true,
	"_contained": true, "_containedType": true, "_explain": true, "_format": true, "_pretty": true}

func lastOf(pairs []Pair, name string) int {
	for i := len(pairs) - 1; i >= 0; i-- {
		if pairs[i].Name == name && pairs[i].Value != "" {
			return i
		}
	}
	return -1
}

// show takes a parameter that says how results are shown.
func (q *query) show(p Pair, system bool) (err error) {
	oneOf := func(values ...string) bool { return slices.Contains(values, p.Value) }
	switch bare(p.Name) {
	case "_count":
		n, err := strconv.ParseUint(p.Value, 10, 31)
		if err != nil {
			return refuse("_count", "%q is no whole number from 0 to %d", clip(p.Value), MaxCount)
		}
		if n > MaxCount {
			return refuseAs(codeTooCostly, "_count", "a page has at most %d resources", MaxCount)
		}
		q.count = int(n)
	case "_sort":
		q.sort, err = parseSort(p.Value)
	case "_include", "_revinclude":
		var i include
		if i, err = parseInclude(p); err == nil {
			q.includes = append(q.includes, i)
		}
	case "_summary":
		if !oneOf("true", "text", "data", "count", "false") {
			return refuse("_summary", "%q is none of true, text, data, count and false", clip(p.Value))
		}
		if q.summary = p.Value; p.Value == "false" {
			q.summary = ""
		}
	case "_total":
		if !oneOf("none", "estimate", "accurate") {
			return refuse("_total", "%q is none of none, estimate and accurate", clip(p.Value))
		}
		q.total = p.Value
	case "_elements":
		for name := range strings.SplitSeq(p.Value, ",") {
			if name = strings.TrimSpace(name); name == "" {
				continue
			}
			q.elements = append(q.elements, name)
		}
	case "_contained":
		if p.Value != "false" {
			return refuseAs(codeNotSupported, "_contained", "contained resources are searched by the resource that holds them only")
		}
	case "_containedType":
		return refuseAs(codeNotSupported, "_containedType", "contained resources are searched by the resource that holds them only")
	case "_explain":
		if !oneOf("true", "false") {
			return refuse("_explain", "%q is neither true nor false", clip(p.Value))
		}
		q.explain = p.Value == "true"
	case "_cursor":
		return refuse("_cursor", "it stands alone: follow the links of a page as they are")
	case "_type":
		if !system {
			return refuse("_type", "the type stands in the URL")
		}
		for name := range strings.SplitSeq(p.Value, ",") {
			code, ok := r4.CodeOf(name)
			if !ok {
				return refuse("_type", "%q is no resource type", clip(name))
			}
			q.types = append(q.types, code)
		}
	}
	return err
}

func parseSort(value string) (keys []sortName, err error) {
	for name := range strings.SplitSeq(value, ",") {
		name, desc := strings.CutPrefix(strings.TrimSpace(name), "-")
		if name == "" {
			return nil, refuse("_sort", "a key is empty")
		}
		if strings.ContainsAny(name, ".:") {
			return nil, refuse("_sort", "%q is a chain or has a modifier; results are sorted by their own parameters", clip(name))
		}
		keys = append(keys, sortName{name, desc})
	}
	if len(keys) > MaxSort {
		return nil, refuseAs(codeTooCostly, "_sort", "it has %d keys; the limit is %d", len(keys), MaxSort)
	}
	return keys, nil
}
