package export

import (
	"slices"
	"strings"

	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// link is what a Provenance says of a resource that there is, or was.
type link struct {
	from store.Ordinal // of the Provenance
	typ  r4.Code
	at   store.Ordinal
}

// provenanceTarget is the parameter that leads from a Provenance to what it is about.
func provenanceTarget() []*r4.SearchParam { return []*r4.SearchParam{provenanceCode.Param("target")} }

// provenanceLinks are those of all Provenance that is alive.
func (c *chooser) provenanceLinks(alive ordinals) ([]link, error) {
	type pointer struct {
		id   string
		from store.Ordinal
	}
	byType := map[r4.Code][]pointer{}
	if err := c.references(provenanceCode, provenanceTarget(), alive, func(o store.Ordinal, t index.Target) {
		if t.Type.Valid() && t.ID != "" {
			byType[t.Type] = append(byType[t.Type], pointer{strings.Clone(t.ID), o})
		}
	}); err != nil {
		return nil, err
	}
	var all []link
	for _, code := range codesOf(byType) {
		for chunk := range slices.Chunk(byType[code], 1000) {
			ids := make([]string, len(chunk))
			for i := range chunk {
				ids[i] = chunk[i].id
			}
			found, err := c.v.Ordinals(c.ctx, code, ids)
			if err = closing(err, c.ctx.Err()); err != nil {
				return nil, err
			}
			for i, o := range found {
				if o != store.Nowhere {
					all = append(all, link{chunk[i].from, code, o})
				}
			}
		}
	}
	return all, nil
}

// provenanceOfPatients keeps the Provenance whose target belongs to the patients, whether the target itself is exported
// or not (Bulk Data Access 2.0.0, section "Query Parameters", includeAssociatedData): what was recorded since then of
// something that has not changed is told too.
func (c *chooser) provenanceOfPatients(next store.Ordinal, alive ordinals, found *choice) error {
	links, err := c.provenanceLinks(alive)
	if err != nil {
		return err
	}
	theirs, fresh := newOrdinals(next), newOrdinals(next)
	for _, l := range links {
		belongs, joined, err := c.compartmentOf(l.typ)
		if err != nil {
			return err
		}
		if belongs.has(l.at) {
			theirs.add(l.from)
		}
		if joined.has(l.at) {
			fresh.add(l.from)
		}
	}
	found.live.keep(theirs)
	found.joined(fresh)
	if !c.sel.Deleted {
		return nil
	}
	return c.deletedProvenance(found)
}

// compartmentOf is compartment for a type that may not be exported; a type that belongs to no patient has none.
func (c *chooser) compartmentOf(code r4.Code) (theirs, fresh ordinals, err error) {
	if code != patientCode && len(code.Compartment(patientCode)) == 0 {
		return nil, nil, nil
	}
	if known, ok := c.compartments[code]; ok {
		return known[0], known[1], nil
	}
	next, err := c.v.Next(c.ctx, code)
	if err != nil {
		return nil, nil, err
	}
	alive, err := c.alive(code, next)
	if err != nil {
		return nil, nil, err
	}
	return c.compartment(code, next, alive)
}

// deletedProvenance keeps those of the deleted Provenance whose last version was of something that belongs to the
// patients, or did before it was deleted, or of which nobody knows any more what it was about.
func (c *chooser) deletedProvenance(found *choice) error {
	for o := range found.deleted.all() {
		headers, err := c.v.Headers(c.ctx, provenanceCode, []store.Ordinal{o})
		if err = closing(err, c.ctx.Err()); err != nil {
			return err
		}
		if headers[0].Erased {
			continue // all are told
		}
		var targets []index.Target
		known, err := c.lastTargets(headers[0], provenanceTarget(), func(_ store.Ordinal, t index.Target) {
			targets = append(targets, index.Target{Type: t.Type, ID: strings.Clone(t.ID)})
		})
		if err != nil {
			return err
		}
		theirs := !known
		for _, t := range targets {
			if !theirs && t.Type.Valid() && t.ID != "" {
				if theirs, err = c.belongs(t); err != nil {
					return err
				}
			}
		}
		if !theirs {
			found.deleted.remove(o)
		}
	}
	return nil
}

// belongs reports whether a resource belongs to the patients, or did before it was deleted.
func (c *chooser) belongs(t index.Target) (bool, error) {
	at, err := c.v.Ordinals(c.ctx, t.Type, []string{t.ID})
	if err != nil || at[0] == store.Nowhere {
		return false, err
	}
	theirs, _, err := c.compartmentOf(t.Type)
	if err != nil || theirs.has(at[0]) {
		return err == nil, err
	}
	header, err := c.v.Headers(c.ctx, t.Type, at)
	if err != nil || !header[0].Deleted {
		return false, err
	}
	return c.belonged(header[0])
}
