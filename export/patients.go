package export

import (
	"maps"
	"slices"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// patients are those whose compartments an export holds.
type patients struct {
	all     bool                // every patient
	members map[string]struct{} // ids, unless all
	joined  map[string]struct{} // those of members who were none as of Since: all of theirs is new
}

func (p *patients) has(id string) bool {
	if p.all {
		return true
	}
	_, is := p.members[id]
	return is
}

func (p *patients) isNew(id string) bool {
	_, is := p.joined[id]
	return is
}

// findPatients looks the patients up as of the view.
func (c *chooser) findPatients() (*patients, error) {
	p := &patients{all: c.sel.Level != OfGroup && len(c.sel.Patients) == 0}
	if c.sel.Level == OfGroup {
		var err error
		if p.members, err = c.members(c.v, c.sel.Group, c.job.TransactionTime); err != nil {
			return nil, err
		}
		if c.before != nil {
			former, err := c.members(c.before, c.sel.Group, c.sel.Since)
			if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Gone) {
				return nil, err
			}
			p.joined = map[string]struct{}{}
			for id := range p.members {
				if _, was := former[id]; !was {
					p.joined[id] = struct{}{}
				}
			}
		}
	}
	if len(c.sel.Patients) == 0 {
		return p, nil
	}
	named := map[string]struct{}{}
	found, err := c.v.Ordinals(c.ctx, patientCode, c.sel.Patients)
	if err != nil {
		return nil, err
	}
	versions, err := c.v.Headers(c.ctx, patientCode, slices.DeleteFunc(slices.Clone(found), func(o store.Ordinal) bool { return o == store.Nowhere }))
	if err != nil {
		return nil, err
	}
	for _, v := range versions {
		if !v.Deleted && v.Number > 0 {
			named[v.ID] = struct{}{}
		}
	}
	for _, id := range c.sel.Patients {
		_, there := named[id]
		if _, member := p.members[id]; !there || c.sel.Level == OfGroup && !member {
			text := "The parameter patient names a Patient that is not there."
			if there {
				text = "The parameter patient names a Patient that is no member of the Group."
			}
			return nil, fhir.NewOutcomeError(fault.Invalid, "export", fhir.Issue{Severity: fhir.SeverityError, Code: "not-found", Diagnostics: text})
		}
	}
	p.members = named
	maps.DeleteFunc(p.joined, func(id string, _ struct{}) bool { return !p.has(id) })
	return p, nil
}

// ofPatients keeps what belongs to the patients: in FHIR's Patient compartment, which for a Patient is itself. All of a
// member's who joined after Since is new, whenever it was changed.
func (c *chooser) ofPatients(code r4.Code, next store.Ordinal, alive ordinals, found *choice) error {
	theirs, fresh, err := c.compartment(code, next, alive)
	if err != nil {
		return err
	}
	found.live.keep(theirs)
	found.joined(fresh)
	if !c.sel.Deleted {
		return nil
	}
	return c.deletedOfPatients(code, found)
}

// compartment finds what belongs to the patients of a type, of what is alive, and what belongs to those who joined.
func (c *chooser) compartment(code r4.Code, next store.Ordinal, alive ordinals) (theirs, fresh ordinals, err error) {
	if known, ok := c.compartments[code]; ok {
		return known[0], known[1], nil
	}
	theirs, fresh = newOrdinals(next), newOrdinals(next)
	note := func(o store.Ordinal, id string) {
		if c.patients.has(id) {
			theirs.add(o)
		}
		if c.patients.isNew(id) {
			fresh.add(o)
		}
	}
	if code == patientCode {
		if err := c.selves(alive, note); err != nil {
			return nil, nil, err
		}
	}
	if err := c.references(code, code.CompartmentParams(patientCode), alive, func(o store.Ordinal, t index.Target) {
		if t.Type == patientCode {
			note(o, t.ID)
		}
	}); err != nil {
		return nil, nil, err
	}
	fresh.keep(alive)
	c.compartments[code] = [2]ordinals{theirs, fresh}
	return theirs, fresh, nil
}

// selves gives each patient of the compartments to note.
func (c *chooser) selves(alive ordinals, note func(store.Ordinal, string)) error {
	if c.patients.all {
		for o := range alive.all() {
			note(o, "")
		}
		return nil
	}
	ids := make([]string, 0, len(c.patients.members))
	for id := range c.patients.members {
		ids = append(ids, id)
	}
	for chunk := range slices.Chunk(ids, 1000) {
		found, err := c.v.Ordinals(c.ctx, patientCode, chunk)
		if err != nil {
			return err
		}
		for i, o := range found {
			if o != store.Nowhere {
				note(o, chunk[i])
			}
		}
	}
	return nil
}

// deletedOfPatients keeps those of the deleted whose last version belonged to the patients, or may have.
func (c *chooser) deletedOfPatients(code r4.Code, found *choice) error {
	for chunk := range slices.Chunk(slices.Collect(found.deleted.all()), 1000) {
		headers, err := c.v.Headers(c.ctx, code, chunk)
		if err != nil {
			return err
		}
		for i, o := range chunk {
			theirs, err := c.belonged(headers[i])
			if err = closing(err, c.ctx.Err()); err != nil {
				return err
			}
			if !theirs {
				found.deleted.remove(o)
			}
		}
	}
	return nil
}

// belonged reports whether the last version of something deleted belonged to the patients. Whose it was nobody knows any
// more where it has been erased, or its history removed: all are told, since a deletion that nobody is told of leaves a
// copy where it has gone.
func (c *chooser) belonged(deleted store.Version) (theirs bool, err error) {
	if deleted.Erased || deleted.Type == patientCode && c.patients.has(deleted.ID) {
		return true, nil
	}
	known, err := c.lastTargets(deleted, deleted.Type.CompartmentParams(patientCode), func(_ store.Ordinal, t index.Target) {
		theirs = theirs || t.Type == patientCode && c.patients.has(t.ID)
	})
	return theirs || !known, err
}

// lastTargets walks over what the last version of something deleted referred to; known is false where that version is not
// kept any more.
func (c *chooser) lastTargets(deleted store.Version, params []*r4.SearchParam, use func(store.Ordinal, index.Target)) (known bool, err error) {
	for v, err := range c.v.History(c.ctx, deleted.Type, deleted.ID, deleted.Tx) {
		if err != nil {
			return false, err
		}
		if !v.Deleted {
			return true, c.targets(v, params, use)
		}
	}
	return false, nil
}
