package export

import (
	"context"
	"iter"
	"slices"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// Queries finds resources by search parameters; package search does.
type Queries interface {
	// SelectSeen are all resources of a type that match a query as of the view, ascending, as who may see these types alone
	// (nil: all) is told.
	SelectSeen(ctx context.Context, v *store.View, base string, see []r4.Code, typ r4.Code, query string) iter.Seq2[store.Ordinal, error]
	// CheckSelectSeen refuses a query that SelectSeen would refuse.
	CheckSelectSeen(ctx context.Context, v *store.View, base string, see []r4.Code, typ r4.Code, query string) error
}

// chooser finds what a Selection holds as of a view. What it finds is a function of the job's record and of the view.
type chooser struct {
	ctx     context.Context // asked in each round of each loop: a job lives by it (job.Run.Living)
	v       *store.View
	before  *store.View // as of Since; nil without it
	queries Queries
	job     *Job
	sel     *Selection

	since, until store.TxID // changed by since < tx <= until
	patients     *patients  // nil at the level of the system
	reader       reader
	chosen       map[r4.Code]ordinals
	compartments map[r4.Code][2]ordinals // what compartment has found
}

// choice is what is exported of one type.
type choice struct {
	live    ordinals // to be written
	deleted ordinals // to be told as deleted
	late    ordinals // changed after Until; nil: none
}

// joined adds what belongs to those who joined: all of it, whenever it was changed, but not after Until.
func (f *choice) joined(fresh ordinals) {
	if f.late != nil {
		fresh = slices.Clone(fresh)
		fresh.drop(f.late)
	}
	f.live.join(fresh)
}

// newChooser looks up what the selection names. It is usable while the view is open.
func newChooser(ctx context.Context, v *store.View, j *Job, queries Queries) (c *chooser, err error) {
	c = &chooser{ctx: ctx, v: v, queries: queries, job: j, sel: &j.Selection, until: v.Tx(), chosen: map[r4.Code]ordinals{}, compartments: map[r4.Code][2]ordinals{}}
	c.reader.init()
	if c.sel.Since != 0 {
		if c.since, err = v.TxAt(ctx, c.sel.Since); err != nil {
			return nil, err
		}
		c.before = v.AsOf(c.since)
	}
	if c.sel.Until != 0 {
		if c.until, err = v.TxAt(ctx, c.sel.Until); err != nil {
			return nil, err
		}
	}
	if c.sel.Level != System || c.sel.Organize != "" {
		if err = v.Indexed(ctx, index.Epoch); err == nil { // compartments are found by the index
			c.patients, err = c.findPatients()
		}
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func closing(err error, others ...error) error {
	for _, other := range others {
		if err == nil {
			err = other
		}
	}
	return err
}

// types are those of which there may be something, in the order of their codes, Provenance last: it follows the others.
func (c *chooser) types() ([]r4.Code, error) {
	had, err := c.v.Types(c.ctx)
	if err != nil {
		return nil, err
	}
	var types []r4.Code
	provenance := false
	for _, code := range had {
		switch {
		case !c.sel.wants(code):
		case code == provenanceCode:
			provenance = true
		default:
			types = append(types, code)
		}
	}
	if provenance {
		types = append(types, provenanceCode)
	}
	return types, nil
}

// choose finds what is exported of one type. Provenance is asked for last.
func (c *chooser) choose(code r4.Code) (choice, error) {
	next, err := c.v.Next(c.ctx, code)
	if err != nil {
		return choice{}, err
	}
	found := choice{live: newOrdinals(next), deleted: newOrdinals(next)}
	alive, err := c.alive(code, next)
	if err != nil {
		return choice{}, err
	}
	if err := c.changed(code, next, alive, &found); err != nil {
		return choice{}, err
	}
	switch {
	case code == provenanceCode && c.sel.Associated != "":
		err = c.provenance(next, alive, &found)
	case code == provenanceCode && c.patients != nil:
		err = c.provenanceOfPatients(next, alive, &found)
	case c.patients != nil && len(code.Compartment(patientCode)) == 0 && code != patientCode:
		found.live = newOrdinals(next) // only what others refer to
		if !c.sel.References {
			found.deleted = newOrdinals(next) // else all are told: who referred to it nobody knows any more
		}
	case c.patients != nil:
		err = c.ofPatients(code, next, alive, &found)
	}
	if err == nil {
		err = c.filter(code, next, &found)
	}
	if err == nil && !c.sel.Deleted {
		found.deleted = nil
	}
	if err != nil {
		return choice{}, err
	}
	c.chosen[code] = found.live
	return found, nil
}

// alive are the resources of a type that exist as of the view.
func (c *chooser) alive(code r4.Code, next store.Ordinal) (ordinals, error) {
	census, err := c.v.Census(c.ctx, code)
	if err != nil {
		return nil, err
	}
	all := newOrdinals(next)
	all.fill(next)
	for _, o := range census.Dead {
		all.remove(o)
	}
	return all, nil
}

// changed finds the resources whose newest version was made after Since and not after Until, and those of them that are
// deleted.
func (c *chooser) changed(code r4.Code, next store.Ordinal, alive ordinals, found *choice) error {
	if c.since == 0 {
		copy(found.live, alive)
	}
	for row, err := range c.v.Changes(c.ctx, code, c.since, c.v.Tx()) {
		if err = closing(err, c.ctx.Err()); err != nil {
			return err
		}
		if c.since == 0 && c.until == c.v.Tx() {
			break // every change counts
		}
		found.live.remove(row.Ordinal)
		found.deleted.remove(row.Ordinal)
		switch {
		case row.Tx > c.until:
			if found.late == nil {
				found.late = newOrdinals(next)
			}
			found.late.add(row.Ordinal)
		case row.Change == store.Deleted:
			found.deleted.add(row.Ordinal)
		default:
			found.live.add(row.Ordinal)
		}
	}
	return nil
}

// reader takes documents apart.
type reader struct {
	parser    *fhir.Parser
	extractor *index.Extractor
}

func (r *reader) init() {
	r.parser = fhir.NewParser(fhir.Limits{MaxBytes: 2 * store.MaxDocument, MaxDepth: 10_000})
	r.extractor = index.NewExtractor()
}

// entries are the index entries of a version; they are valid until the next call.
func (r *reader) entries(v store.Version) ([]fhir.IndexEntry, error) {
	entries, err := r.uncut(v)
	return store.Kept(entries), err
}

// uncut are the entries as they are before the store cuts those that are long.
func (r *reader) uncut(v store.Version) ([]fhir.IndexEntry, error) {
	if _, err := r.parser.Borrow(v.Body); err != nil {
		return nil, fault.Errorf(fault.Internal, "export", "a stored %s cannot be read: %w", v.Type, err)
	}
	return r.extractor.Extract(r.parser.Doc(), v.Type), nil
}

// references walks over what the parameter's entries in the index refer to, and then over what those versions refer to
// for which the index does not speak as of the view: alive ones alone.
func (c *chooser) references(code r4.Code, params []*r4.SearchParam, alive ordinals, use func(o store.Ordinal, t index.Target)) error {
	stale, err := c.v.ChangedSince(c.ctx, code)
	if err != nil {
		return err
	}
	isStale := func(o store.Ordinal) bool { _, is := slices.BinarySearch(stale, o); return is }
	for _, p := range params {
		f, err := index.Compile(code, p, "missing", []string{"false"}, index.Env{Base: c.job.Base})
		if err != nil {
			return err
		}
		for _, r := range f.Ranges() {
			if err := c.hits(code, p, r, func(o store.Ordinal, t index.Target) {
				if alive.has(o) && !isStale(o) {
					use(o, t)
				}
			}); err != nil {
				return err
			}
		}
	}
	for chunk := range slices.Chunk(stale, 256) {
		versions, err := c.v.ReadOrdinals(c.ctx, code, chunk)
		if err != nil {
			return err
		}
		for _, v := range versions {
			if v.Number == 0 || v.Deleted {
				continue
			}
			if err := c.targets(v, params, use); err != nil {
				return err
			}
		}
	}
	return nil
}

func (c *chooser) hits(code r4.Code, p *r4.SearchParam, r index.Range, use func(store.Ordinal, index.Target)) (err error) {
	h := c.v.Hits(c.ctx, code, r.Param, store.Values{From: r.From, To: r.To, Prefix: r.Prefix}, false)
	defer func() { err = closing(err, h.Err(), h.Close()) }()
	for h.Next() {
		if err := c.ctx.Err(); err != nil {
			return err
		}
		entry := [1]fhir.IndexEntry{{Param: r.Param, Value: h.Value()}}
		for t := range index.Targets(code, p, entry[:], c.job.Base) {
			use(h.Ordinal(), t)
		}
	}
	return nil
}

// targets walks over what one version refers to by the parameters.
func (c *chooser) targets(v store.Version, params []*r4.SearchParam, use func(store.Ordinal, index.Target)) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	entries, err := c.reader.entries(v)
	if err != nil {
		return err
	}
	for _, p := range params {
		for t := range index.Targets(v.Type, p, entries, c.job.Base) {
			use(v.Ordinal, t)
		}
	}
	return nil
}
