package search

import (
	"slices"
	"strings"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

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
	r.work += costLookUp * len(names)
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
