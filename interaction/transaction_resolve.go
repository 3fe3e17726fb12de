package interaction

import (
	"context"
	"fmt"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// entryPlan is what is known of an entry before the data store is looked at.
type entryPlan struct {
	criteria *Criteria // of a conditional create, update, patch or delete
	cond     Conditions
	body     string // the id in the resource
	fresh    string // the id for a resource that is created
}

// read takes apart what the entries say: criteria, conditions and links.
func (t *transaction) read() error {
	var issues []fhir.Issue
	refuse := func(i int, name string, err error) {
		issues = append(issues, t.requestIssue(i, name, err))
	}
	for i := range t.entries {
		e, p := &t.r.Bundle.Entries[i], &t.entries[i]
		if !e.Writes() {
			continue
		}
		p.fresh = newID()
		if id := e.resource.Member("id"); id.Kind() == fhir.String {
			p.body = string(id.AppendText(nil))
		}
		criteria, name := e.Query, "url"
		if e.action == creates {
			criteria, name = e.IfNoneExist, "ifNoneExist"
		}
		if criteria != "" {
			c, err := ParseCriteria(e.typ, Where{t.r.Base, criteria})
			if err != nil {
				refuse(i, name, err)
			}
			p.criteria = &c
		}
		var err error
		if p.cond.IfMatch, err = parseTag(e.IfMatch); err != nil {
			refuse(i, "ifMatch", err)
		}
		switch e.IfNoneMatch {
		case "":
		case "*":
			p.cond.IfNoneMatch = true
		default:
			refuse(i, "ifNoneMatch", fault.Errorf(fault.Invalid, "interaction", "* is the only ifNoneMatch that a write can have."))
		}
		if p.cond.IfMatch != 0 && p.cond.IfNoneMatch {
			refuse(i, "ifNoneMatch", fault.Errorf(fault.Invalid, "interaction", "ifNoneMatch contradicts ifMatch."))
		}
	}
	issues = append(issues, t.readLinks()...)
	if len(issues) > 0 {
		return fhir.NewOutcomeError(fault.Invalid, "interaction.Transact", issues[:min(len(issues), maxIssues)]...)
	}
	return nil
}

// identity is one resource of the data store.
type identity struct {
	typ r4.Code
	id  string
}

// resolve finds the resource that each entry writes.
func (a *attempt) resolve() error {
	deleted := map[identity]bool{}
	for _, phase := range []action{deletes, creates, updates, patches} {
		for i := range a.aims {
			if a.r.Bundle.Entries[i].action != phase {
				continue
			}
			if err := a.aim(i, deleted); err != nil {
				return a.failed(i, err)
			}
			if phase == deletes && a.aims[i].id != "" {
				deleted[identity{a.r.Bundle.Entries[i].typ, a.aims[i].id}] = true
			}
		}
	}
	if err := a.overlaps(); err != nil {
		return err
	}
	return a.conditionalReferences(deleted)
}

// aim finds what one entry writes; deleted are the resources that the transaction deletes.
func (a *attempt) aim(i int, deleted map[identity]bool) error {
	e, p, to := &a.r.Bundle.Entries[i], &a.entries[i], &a.aims[i]
	to.w.Type, to.w.IfMatch, to.w.IfNoneMatch = e.typ, p.cond.IfMatch, p.cond.IfNoneMatch
	to.write, to.id = true, e.id
	var found bool
	if p.criteria != nil {
		if e.action == deletes {
			deleted = nil
		}
		var err error
		if to.found, found, err = a.one(p.criteria, deleted); err != nil {
			return err
		}
		to.id = to.found.ID
	}
	switch e.action {
	case deletes:
		to.w.Op = store.Delete
		if p.criteria != nil && !found {
			to.write = false // nothing to delete is no error, as in a delete by id
			return nil
		}
	case creates:
		to.w.Op = store.Create
		to.write = !found
		if !found {
			to.id = p.fresh
		}
	case updates:
		to.w.Op = store.Put
		if p.criteria != nil {
			return a.aimUpdate(i, found)
		}
	case patches:
		to.w.Op = store.Put
		if p.criteria != nil && !found {
			return fault.Errorf(fault.NotFound, "interaction.Transact", "No %s meets the criteria.", e.typ)
		}
	}
	to.w.ID = to.id
	return nil
}

// aimUpdate finds what a conditional update writes: the table of UpdateWhere, with 400 where an id contradicts.
func (a *attempt) aimUpdate(i int, found bool) error {
	const op = "interaction.Transact"
	p, to := &a.entries[i], &a.aims[i]
	switch {
	case found && p.body != "" && p.body != to.id:
		return fault.Errorf(fault.Invalid, op, "%s/%s meets the criteria, but the resource has another id.", to.w.Type, to.id)
	case found && p.cond.IfNoneMatch:
		return fault.Errorf(fault.Precondition, op, "%s/%s is there already, with version %d.", to.w.Type, to.id, to.found.Number)
	case found:
	case p.cond.IfMatch != 0:
		return fault.Errorf(fault.Precondition, op, "No %s meets the criteria, so none has version %d.", to.w.Type, p.cond.IfMatch)
	case p.body != "":
		_, err := a.v.Read(a.ctx, to.w.Type, p.body)
		switch {
		case err == nil:
			return fault.Errorf(fault.Invalid, op, "%s/%s is there already and does not meet the criteria.", to.w.Type, clip(p.body))
		case !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Gone):
			return err
		}
		to.id, to.w.IfNoneMatch, to.own = p.body, true, true
	default:
		to.id, to.w.Op = p.fresh, store.Create
	}
	to.w.ID = to.id
	return nil
}

// one is the resource that meets the criteria, those that the transaction deletes left aside, and a guard of that.
func (a *attempt) one(c *Criteria, deleted map[identity]bool) (store.Version, bool, error) {
	skip := 0
	for d := range deleted {
		if d.typ == c.Type {
			skip++
		}
	}
	find := func(ctx context.Context, v *store.View) (store.Version, bool, error) {
		matches, err := a.s.match(ctx, v, *c, 2+skip)
		if err != nil {
			return store.Version{}, false, err
		}
		n := 0
		for _, m := range matches {
			if !deleted[identity{m.Type, m.ID}] {
				matches[n] = m
				n++
			}
		}
		switch n {
		case 0:
			return store.Version{}, false, nil
		case 1:
			return matches[0], true, nil
		}
		return store.Version{}, false, severalMatches(c.Type)
	}
	found, ok, err := find(a.ctx, a.v)
	if err != nil {
		return found, false, err
	}
	a.guards = append(a.guards, store.Guard{Types: c.types, AsOf: a.v.Tx(), Check: func(ctx context.Context, v *store.View) error {
		switch now, stands, err := find(ctx, v); {
		case err != nil && !fault.Is(err, fault.Precondition):
			return err
		case err != nil || stands != ok || now.ID != found.ID:
			return ErrMoved
		}
		return nil
	}})
	return found, ok, nil
}

// overlaps refuses a transaction that names one resource twice (FHIR R4 section 3.1.0.11.2).
func (a *attempt) overlaps() error {
	named := make(map[identity]int, len(a.aims))
	twice := map[string]int{} // criteria of creates that nothing meets
	for i := range a.aims {
		e, to := &a.r.Bundle.Entries[i], &a.aims[i]
		if !e.Writes() || !to.write {
			continue
		}
		who := identity{e.typ, to.id}
		if first, ok := named[who]; ok {
			return a.failed(i, fhir.NewOutcomeError(fault.Invalid, "interaction.Transact", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
				Diagnostics: fmt.Sprintf("%s/%s is written by entry[%d] already; a transaction writes each resource once.", e.typ, clip(to.id), first)}))
		}
		named[who] = i
		if c := a.entries[i].criteria; c != nil && to.id == a.entries[i].fresh {
			key := c.Type.String() + "?" + c.query.Encode()
			if first, ok := twice[key]; ok {
				return a.failed(i, fhir.NewOutcomeError(fault.Invalid, "interaction.Transact", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
					Diagnostics: fmt.Sprintf("entry[%d] creates a resource under the same criteria; a transaction writes each resource once.", first)}))
			}
			twice[key] = i
		}
	}
	return nil
}

// parseTag reads one entity tag, weak or not, quoted or not; the empty one is 0.
func parseTag(tag string) (uint64, error) {
	if tag == "" {
		return 0, nil
	}
	bare := strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
	var n uint64
	for _, c := range []byte(bare) {
		if c < '0' || c > '9' || n > 1<<58 {
			n = 0
			break
		}
		n = 10*n + uint64(c-'0')
	}
	if n == 0 {
		return 0, fault.Errorf(fault.Invalid, "interaction", `An entity tag is of the form W/"1".`)
	}
	return n, nil
}
