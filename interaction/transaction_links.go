package interaction

import (
	"bytes"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/fhir/rewrite"
	"tarn/store"
)

// linkTable knows the fullUrls of the entries that write a resource which stands afterwards.
type linkTable struct {
	byURL    map[string]int
	relative bool             // a fullUrl is, or has the form of, an address of a resource: Type/id may mean it
	links    [][]rewrite.Link // of each entry's resource
}

// readLinks gathers fullUrls and links.
func (t *transaction) readLinks() (issues []fhir.Issue) {
	l := &t.links
	l.byURL, l.links = make(map[string]int, len(t.entries)), make([][]rewrite.Link, len(t.entries))
	for i := range t.entries {
		e := &t.r.Bundle.Entries[i]
		if e.FullURL == "" || !e.Writes() || e.action == deletes {
			continue
		}
		if first, ok := l.byURL[e.FullURL]; ok {
			issues = append(issues, t.entryIssue(i, ".fullUrl", fhir.CodeInvalid, fmt.Sprintf("entry[%d] has this fullUrl too; within a transaction each stands for one resource.", first)))
			continue
		}
		l.byURL[e.FullURL] = i
		switch fhir.ParseReference(e.FullURL).Kind {
		case fhir.AbsoluteReference, fhir.RelativeReference:
			l.relative = true
		}
	}
	for i := range t.entries {
		if e := &t.r.Bundle.Entries[i]; e.Writes() && e.resource.Exists() {
			l.links[i] = rewrite.Links(nil, e.resource, l.suspect)
		}
	}
	return issues
}

// suspect reports whether a text may be a link that the transaction changes.
func (l *linkTable) suspect(text []byte) bool {
	if len(text) == 0 {
		return false
	}
	if c := text[0]; c >= 'A' && c <= 'Z' {
		return bytes.IndexByte(text, '?') > 0 || l.relative && bytes.IndexByte(text, '/') > 0
	}
	if _, ok := l.byURL[string(text)]; ok {
		return true
	}
	cut := text
	if at := bytes.IndexByte(cut, '#'); at > 0 {
		cut = cut[:at]
	}
	if at := bytes.Index(cut, historyPart); at > 0 {
		cut = cut[:at]
	}
	if len(cut) == len(text) {
		return false
	}
	_, ok := l.byURL[string(cut)]
	return ok
}

var historyPart = []byte("/_history/")

// conditionalReferences finds what the conditional references of the transaction mean: the one resource that meets the
// criteria when all is written, be it one that the transaction itself writes or one that stands and is left as it is.
func (a *attempt) conditionalReferences(deleted map[identity]bool) error {
	a.references = map[string]string{}
	var known *foreseen
	for i, links := range a.links.links {
		for _, link := range links {
			if link.Kind != rewrite.Reference {
				continue
			}
			ref := fhir.ParseReference(link.Text)
			if _, done := a.references[link.Text]; done || ref.Kind != fhir.ConditionalReference {
				continue
			}
			if known == nil {
				known = a.foresee(deleted)
			}
			to, err := a.conditionalReference(ref, known)
			if err != nil {
				return a.placed(a.failed(i, err), i, link)
			}
			a.references[link.Text] = to
		}
	}
	return nil
}

// foreseen is what the transaction will have written.
type foreseen struct {
	under   map[string]int    // entries whose resources are written under criteria, by type and criteria
	changed map[identity]bool // resources that stand now and will be gone, or other than they are
	typed   map[r4.Code]*candidates
}

// candidates are the resources of a type that the transaction writes.
type candidates struct {
	at      []int // entries
	entries [][]fhir.IndexEntry
}

func (a *attempt) foresee(deleted map[identity]bool) *foreseen {
	f := &foreseen{under: a.writtenUnder(), changed: maps.Clone(deleted), typed: map[r4.Code]*candidates{}}
	for i := range a.aims {
		if e := &a.r.Bundle.Entries[i]; e.action == updates {
			f.changed[identity{e.typ, a.aims[i].id}] = true
		}
	}
	return f
}

// candidates are found at the first question for a type. What a patch will make is not known yet: such a resource counts
// as it stands.
func (f *foreseen) candidates(a *attempt, typ r4.Code) *candidates {
	if c := f.typed[typ]; c != nil {
		return c
	}
	c, x := &candidates{}, index.NewExtractor()
	for i := range a.aims {
		if e := &a.r.Bundle.Entries[i]; e.typ == typ && a.aims[i].write && (e.action == creates || e.action == updates) {
			c.at, c.entries = append(c.at, i), append(c.entries, x.ExtractNodeOwned(e.resource, typ))
		}
	}
	f.typed[typ] = c
	return c
}

// writtenUnder are the entries whose resources are written under criteria, by type and criteria.
func (a *attempt) writtenUnder() map[string]int {
	written := map[string]int{}
	for i := range a.entries {
		e, c := &a.r.Bundle.Entries[i], a.entries[i].criteria
		if c != nil && e.Writes() && e.action != deletes {
			written[c.Type.String()+"?"+c.query.Encode()] = i
		}
	}
	return written
}

func (a *attempt) conditionalReference(ref fhir.Reference, known *foreseen) (string, error) {
	typ, _ := r4.CodeOf(ref.Type)
	c, err := ParseCriteria(typ, Where{a.r.Base, ref.Query})
	if err != nil {
		return "", err
	}
	if i, ok := known.under[ref.Type+"?"+c.query.Encode()]; ok {
		return ref.Type + "/" + a.aims[i].id, nil
	}
	found, ok, err := a.one(&c, known.changed)
	if err != nil {
		return "", err
	}
	id := found.ID
	if own := known.candidates(a, typ); len(own.at) > 0 {
		meets, err := a.s.matcher.MeetsAt(a.ctx, a.v, a.r.Base, typ, c.Query, own.entries)
		if err != nil {
			return "", err
		}
		for n, yes := range meets {
			switch {
			case yes && ok:
				return "", severalMatches(typ)
			case yes:
				id, ok = a.aims[own.at[n]].id, true
			}
		}
	}
	if !ok {
		return "", fhir.NewOutcomeError(fault.Precondition, "interaction.Transact", fhir.Issue{Severity: fhir.SeverityError, Code: "not-found",
			Diagnostics: fmt.Sprintf("No %s meets the criteria of the conditional reference.", ref.Type)})
	}
	return ref.Type + "/" + id, nil
}

// edits are the changes of the links in the resource of an entry.
func (a *attempt) edits(i int) (edits []rewrite.Edit) {
	for _, link := range a.links.links[i] {
		if to, ok := a.link(i, link); ok && to != link.Text {
			edits = append(edits, rewrite.Edit{Start: link.Start, End: link.End, Text: to})
		}
	}
	return edits
}

// link is what shall stand in place of a link in the resource of an entry.
func (a *attempt) link(in int, link rewrite.Link) (string, bool) {
	if to, ok := a.references[link.Text]; ok && link.Kind == rewrite.Reference {
		return to, true
	}
	text, fragment := link.Text, ""
	i, ok := a.named(in, text)
	if at := strings.IndexByte(text, '#'); !ok && at > 0 {
		text, fragment = text[:at], text[at:]
		i, ok = a.named(in, text)
	}
	version := false
	if at := strings.LastIndex(text, "/_history/"); !ok && at > 0 {
		text, version = text[:at], true
		i, ok = a.named(in, text)
	}
	if !ok {
		return "", false
	}
	e, to := &a.r.Bundle.Entries[i], &a.aims[i]
	at := e.typ.String() + "/" + to.id
	if text == at || text == a.r.Base+at {
		return "", false // it is the same already
	}
	if version {
		at += "/_history/" + strconv.FormatUint(a.next(i), 10)
	}
	return at + fragment, true
}

// named is the entry whose resource a text means in the resource of another entry (FHIR R4 section 2.36.4.1): by its
// fullUrl, or, if it is relative, by what it is relative to.
func (a *attempt) named(in int, text string) (int, bool) {
	if i, ok := a.links.byURL[text]; ok {
		return i, true
	}
	if !a.links.relative || fhir.ParseReference(text).Kind != fhir.RelativeReference {
		return 0, false
	}
	if own := fhir.ParseReference(a.r.Bundle.Entries[in].FullURL); own.Kind == fhir.AbsoluteReference {
		i, ok := a.links.byURL[own.Base+"/"+text]
		return i, ok
	}
	i, ok := a.links.byURL[a.r.Base+text]
	return i, ok
}

// next is the number of the version that an entry will have written. For what is updated it is found out once, and
// guarded.
func (a *attempt) next(i int) uint64 {
	to := &a.aims[i]
	switch {
	case !to.write:
		return to.found.Number
	case to.w.Op == store.Create:
		return 1
	}
	return to.number + 1
}
