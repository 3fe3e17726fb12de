package search

import (
	"fmt"
	"slices"
	"strings"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// chain is the condition that a reference leads to a resource that meets a clause: subject:Patient.name=x. It is
// answered from the far end, if few resources match there: their ids are searched for as values of the reference. Else
// from the near end: the references of each candidate are followed.
type chain struct {
	typ          r4.Code
	key          string
	param        *r4.SearchParam
	alternatives []alternative
	looked       bool
	far          *filter // of the ids at the far end; nil where there are too many
}

// alternative is a type that the reference may lead to.
type alternative struct {
	clause *clause
	found  []store.Ordinal // those that match, ascending, if complete
	all    bool
}

func (c *chain) cost() int { return 3 }

func (c *chain) String() string {
	var parts []string
	for _, a := range c.alternatives {
		how := "followed from each candidate"
		if a.all {
			how = fmt.Sprintf("%d match", len(a.found))
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", a.clause.typ, how))
	}
	if len(parts) == 0 {
		parts = []string{"nothing"}
	}
	return c.key + ": chain to " + strings.Join(parts, ", ")
}

// look counts the far end, once.
func (c *chain) look(r *run) error {
	if c.looked {
		return nil
	}
	c.looked = true
	total, complete := 0, true
	for i := range c.alternatives {
		a := &c.alternatives[i]
		var err error
		if a.found, a.all, err = r.enumerate(a.clause, 0, r.s.tune.innerCap, r.s.tune.innerTries); err != nil {
			return err
		}
		total += len(a.found)
		complete = complete && a.all
	}
	if !complete || total > r.s.tune.innerCap {
		return nil
	}
	var refs []string
	for i := range c.alternatives {
		a := &c.alternatives[i]
		more, err := r.references(a.clause.typ, a.found)
		if err != nil {
			return err
		}
		refs = append(refs, more...)
	}
	var err error
	c.far, err = r.pointsTo(c.typ, c.param, c.key, refs)
	return err
}

// pointsTo is the filter of the resources of a type that refer to one of refs by the parameter.
func (r *run) pointsTo(typ r4.Code, p *r4.SearchParam, key string, refs []string) (*filter, error) {
	if len(refs) == 0 {
		return &filter{typ: typ, name: key, f: new(index.Filter)}, nil
	}
	f, err := index.Compile(typ, p, "", refs, r.env)
	if err != nil {
		return nil, named(key, err)
	}
	return newFilter(typ, key, f), nil
}

// references are the values by which resources are referred to: Type/id, and the canonical URL of those that have one.
func (r *run) references(typ r4.Code, ordinals []store.Ordinal) ([]string, error) {
	versions, err := r.v.Headers(r.ctx, typ, ordinals)
	if err != nil {
		return nil, err
	}
	return r.referencesTo(versions)
}

// referencesTo is references by headers.
func (r *run) referencesTo(versions []store.Version) ([]string, error) {
	refs := make([]string, 0, len(versions))
	for _, v := range versions {
		if v.Number == 0 {
			continue
		}
		refs = append(refs, v.Type.String()+"/"+v.ID)
		if !isCanonical(v.Type) {
			continue
		}
		whole, err := r.v.ReadOrdinals(r.ctx, v.Type, []store.Ordinal{v.Ordinal})
		if err != nil {
			return nil, err
		}
		url, err := r.url(whole[0])
		if err != nil {
			return nil, err
		}
		if url != "" {
			refs = append(refs, escapeValue(url))
		}
	}
	return refs, nil
}

// isCanonical reports whether resources of the type have a url by which they are referred to.
func isCanonical(typ r4.Code) bool {
	p := typ.Param("url")
	return p != nil && p.Type == r4.ParamURI
}

// url is the canonical URL of a version, or empty.
func (r *run) url(v store.Version) (string, error) {
	if v.Number == 0 || v.Deleted {
		return "", nil
	}
	if r.reader == nil {
		r.reader = r.s.readers.Get().(*reader)
	}
	doc, err := r.reader.parser.Scan(v.Body)
	if err != nil {
		return "", err
	}
	if n := doc.Root().Member("url"); n.Exists() {
		return string(n.AppendText(nil)), nil
	}
	return "", nil
}

func (c *chain) drive(r *run, e effort, unsure *bool) (stream, bool, error) {
	if len(c.alternatives) == 0 {
		return &set{}, true, nil
	}
	if e < more {
		return nil, false, nil
	}
	if err := c.look(r); err != nil || c.far == nil {
		return nil, false, err
	}
	return c.far.drive(r, e, unsure)
}

func (c *chain) test(r *run, b *batch) error {
	if err := c.look(r); err != nil {
		return err
	}
	if c.far != nil {
		return c.far.test(r, b)
	}
	if err := r.load(b); err != nil {
		return err
	}
	wanted := slices.Clone(b.keep)
	meets := make([]bool, len(b.keep))
	for a := range c.alternatives {
		if err := c.follow(r, &c.alternatives[a], b, wanted, meets); err != nil {
			return err
		}
	}
	copy(b.keep, meets)
	return nil
}

// follow marks the candidates that have a reference to a resource that meets the alternative.
func (c *chain) follow(r *run, a *alternative, b *batch, wanted, meets []bool) error {
	var from []int // the candidate of each target
	var targets []index.Target
	for i := range b.ordinals {
		if !wanted[i] || meets[i] {
			continue
		}
		for t := range index.Targets(c.typ, c.param, b.entries[i], r.env.Base) {
			if t.Type == a.clause.typ || t.Type == 0 && t.Canonical != "" {
				from, targets = append(from, i), append(targets, t)
			}
		}
	}
	found, err := r.resolve(a.clause.typ, targets)
	if err != nil {
		return err
	}
	var ask batch
	ask.typ = a.clause.typ
	for _, o := range sorted(found) {
		ask.add(o, r.mustState(ask.typ).isChanged(o))
	}
	if a.all {
		for i, o := range ask.ordinals {
			_, ask.keep[i] = slices.BinarySearch(a.found, o)
		}
	} else if err := r.quietly(func() error { return r.judge(a.clause, &ask) }); err != nil {
		return err
	}
	for k, i := range from {
		if found[k] == store.Nowhere {
			continue
		}
		if at, ok := slices.BinarySearch(ask.ordinals, found[k]); ok && ask.keep[at] {
			meets[i] = true
		}
	}
	return nil
}

// sorted are the ordinals in ascending order, each once, without Nowhere.
func sorted(ordinals []store.Ordinal) []store.Ordinal {
	s := slices.Clone(ordinals)
	slices.Sort(s)
	s = slices.Compact(s)
	if n := len(s); n > 0 && s[n-1] == store.Nowhere {
		s = s[:n-1]
	}
	return s
}

// resolve are the ordinals of targets of a type; Nowhere for what is not here.
func (r *run) resolve(typ r4.Code, targets []index.Target) ([]store.Ordinal, error) {
	if _, err := r.state(typ); err != nil {
		return nil, err
	}
	// Many references lead to few resources.
	names, at := make([]string, 0, len(targets)), make(map[string]int, len(targets))
	for _, t := range targets {
		if _, ok := at[t.ID]; !ok && t.ID != "" {
			at[t.ID] = len(names)
			names = append(names, t.ID)
		}
	}
	ordinals, err := r.v.Ordinals(r.ctx, typ, names)
	if err != nil {
		return nil, err
	}
	found := make([]store.Ordinal, len(targets))
	for i, t := range targets {
		if found[i] = store.Nowhere; t.ID != "" {
			found[i] = ordinals[at[t.ID]]
		}
	}
	for i, t := range targets {
		if t.Canonical == "" {
			continue
		}
		if found[i], err = r.canonical(typ, t.Canonical, t.Version); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// canonical is a resource of the type with that url, the last one if there are more; Nowhere if there is none.
func (r *run) canonical(typ r4.Code, url, version string) (store.Ordinal, error) {
	if !isCanonical(typ) {
		return store.Nowhere, nil
	}
	f, err := index.Compile(typ, typ.Param("url"), "", []string{escapeValue(url)}, r.env)
	if err != nil {
		return store.Nowhere, err
	}
	c := &clause{typ: typ, conds: []condition{newFilter(typ, "url", f)}}
	if p := typ.Param("version"); version != "" && p != nil {
		f, err := index.Compile(typ, p, "", []string{escapeValue(version)}, r.env)
		if err != nil {
			return store.Nowhere, err
		}
		c.conds = append(c.conds, newFilter(typ, "version", f))
	}
	found := store.Nowhere
	err = r.quietly(func() error {
		all, _, err := r.enumerate(c, 0, r.s.tune.innerCap, 0)
		if n := len(all); n > 0 {
			found = all[n-1]
		}
		return err
	})
	return found, err
}

// quietly does what the plan need not tell, since it is done for each candidate.
func (r *run) quietly(do func() error) error {
	note := r.note
	r.note = nil
	defer func() { r.note = note }()
	return do()
}

// mustState is the state of a type that was asked for before.
func (r *run) mustState(typ r4.Code) *typeState { return r.types[typ] }

// escapeValue puts a backslash before what search values use (FHIR R4 section 3.1.1.4.0).
func escapeValue(s string) string { return escaper.Replace(s) }

var escaper = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `$`, `\$`, `|`, `\|`)
