package export

import (
	"context"
	"slices"

	"tarn/fhir/r4"
	"tarn/store"
)

// planSelection is the plan of what a selection holds as of the view: the parts of each type in the order of their codes,
// and behind them those that tell of deletions.
func planSelection(ctx context.Context, v *store.View, j *Job, queries Queries) (plan []Part, err error) {
	if j.Selection.whole() {
		types, err := v.Types(ctx)
		if err != nil {
			return nil, err
		}
		return planOf(ctx, v, slices.DeleteFunc(types, func(code r4.Code) bool { return !j.Selection.wants(code) }), j.MaxLines)
	}
	c, err := newChooser(ctx, v, j, queries)
	if err != nil {
		return nil, err
	}
	types, err := c.types()
	if err != nil {
		return nil, err
	}
	choices := map[r4.Code]choice{}
	for _, code := range types {
		if choices[code], err = c.choose(code); err != nil {
			return nil, err
		}
	}
	if c.sel.References && c.sel.Organize == "" {
		if err := c.addReferenced(choices); err != nil {
			return nil, err
		}
	}
	codes := codesOf(choices)
	if c.sel.Organize != "" {
		if plan, err = c.organize(choices); err != nil {
			return nil, err
		}
	}
	for _, code := range codes {
		if c.sel.Organize != "" {
			break // they stand in blocks
		}
		plan = append(plan, cutMembers(code, choices[code].live, false, j.MaxLines)...)
	}
	for _, code := range codes {
		plan = append(plan, cutMembers(code, choices[code].deleted, true, j.MaxLines)...)
	}
	return plan, nil
}

// addReferenced adds what the chosen resources refer to, and what those refer to in turn, of the types that belong to no
// patient: practitioners, organizations, locations, medications. The filters of those types bind it and so does _security;
// when it was changed, and what tags it has, does not matter.
func (c *chooser) addReferenced(choices map[r4.Code]choice) error {
	may := map[r4.Code]ordinals{}
	frontier := map[r4.Code]ordinals{}
	for code, found := range choices {
		frontier[code] = slices.Clone(found.live)
	}
	for len(frontier) > 0 {
		ids := map[r4.Code]map[string]struct{}{}
		for _, code := range codesOf(frontier) {
			if err := c.linksOf(code, frontier[code], ids); err != nil {
				return err
			}
		}
		frontier = map[r4.Code]ordinals{}
		for _, code := range codesOf(ids) {
			next, err := c.v.Next(c.ctx, code)
			if err != nil {
				return err
			}
			if may[code] == nil {
				if may[code], err = c.referable(code, next); err != nil {
					return err
				}
			}
			if choices[code].live == nil {
				choices[code] = choice{live: newOrdinals(next)}
			}
			fresh := newOrdinals(next)
			names := make([]string, 0, len(ids[code]))
			for id := range ids[code] {
				names = append(names, id)
			}
			for chunk := range slices.Chunk(names, 1000) {
				found, err := c.v.Ordinals(c.ctx, code, chunk)
				if err = closing(err, c.ctx.Err()); err != nil {
					return err
				}
				for _, o := range found {
					if o != store.Nowhere && may[code].has(o) && !choices[code].live.has(o) {
						fresh.add(o)
					}
				}
			}
			if fresh.count() > 0 {
				choices[code].live.join(fresh)
				frontier[code] = fresh
			}
		}
	}
	return nil
}

// referable are the resources of a type that may be added.
func (c *chooser) referable(code r4.Code, next store.Ordinal) (ordinals, error) {
	may, err := c.alive(code, next)
	if err != nil {
		return nil, err
	}
	meets, err := c.meets(code, next, labelQuery("_security", c.sel.Security))
	if err == nil && meets != nil {
		may.keep(meets)
	}
	return may, err
}

// linksOf gathers the ids that resources refer to, of the types that may be added.
func (c *chooser) linksOf(code r4.Code, of ordinals, ids map[r4.Code]map[string]struct{}) error {
	var chunk []store.Ordinal
	flush := func() error {
		versions, err := c.v.ReadOrdinals(c.ctx, code, chunk)
		chunk = chunk[:0]
		if err = closing(err, c.ctx.Err()); err != nil {
			return err
		}
		for _, v := range versions {
			if v.Body == nil {
				continue
			}
			doc, err := c.reader.parser.Scan(v.Body)
			if err != nil {
				return err
			}
			links(doc.Root(), c.job.Base, c.sel, ids)
		}
		return nil
	}
	for o := range of.all() {
		if chunk = append(chunk, o); len(chunk) == lookUps {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	return flush()
}
