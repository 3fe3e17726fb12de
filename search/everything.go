package search

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// Page sizes of $everything.
const (
	DefaultEverything = 100
	MaxEverything     = MaxCount
)

// EverythingRequest asks for all that there is about one resource that has a compartment: a patient, an encounter.
type EverythingRequest struct {
	Datastore string
	Base      string      // of the data store's URLs, with a slash at its end
	Of        Compartment // the resource
	Pairs     []Pair      // start, end, _since, _type, _count, or _cursor alone
	Scope     Scope
	At        store.TxID // as of which the first page is; 0: as of now
}

// Everything is one page of the operation $everything (http://hl7.org/fhir/R4/patient-operation-everything.html): the
// resources of the compartment, and those of types outside it that they refer to, in the order of type and id; Total is
// always told. All pages are as of one transaction. A resource that never was is fault.NotFound, a deleted one fault.Gone.
//
// start and end choose by one date of each type (see careDates), _since by meta.lastUpdated. What has no such date, and
// what the others refer to, is always in.
func (s *Service) Everything(ctx context.Context, req EverythingRequest) (_ *Result, err error) {
	path := req.Of.Type.String() + "/" + req.Of.ID + "/$everything"
	from, pairs, err := s.resumeAt(req.Datastore, path, req.Pairs)
	if err != nil {
		return nil, err
	}
	q, err := parseEverything(pairs)
	if err != nil {
		return nil, err
	}
	st, err := s.o.Datastores.Store(ctx, req.Datastore)
	if err != nil {
		return nil, err
	}
	v, err := asOf(ctx, st, from, req.At)
	if err != nil {
		return nil, err
	}
	defer func() { err = closing(err, v.Close()) }()
	if _, err := v.Read(ctx, req.Of.Type, req.Of.ID); err != nil {
		return nil, err
	}
	r := s.newRun(ctx, v, trimSlash(req.Base), req.Scope)
	defer r.close()
	e := &everythingAbout{run: r, of: req.Of, q: q, seen: map[place]bool{}}
	if err := e.gather(); err != nil {
		return nil, err
	}
	page, last := e.page(from)
	result := &Result{At: v.Tx(), base: req.Base, show: newShown(&query{})}
	total := len(e.found)
	result.Total = &total
	if result.Matches, err = e.bodies(page); err != nil {
		return nil, err
	}
	result.Links = []fhir.BundleLink{{Relation: "self", URL: req.Base + path + question(encode(q.used))}}
	if !last {
		end := page[len(page)-1]
		c := cursor{path: path, query: encode(q.used), at: v.Tx(), total: total, after: position{typ: end.typ, ordinal: end.ordinal, keys: [][]byte{[]byte(end.id)}}}
		result.Links = append(result.Links, fhir.BundleLink{Relation: "next", URL: req.Base + path + "?_cursor=" + s.sealed(req.Datastore, c.encode())})
	}
	return result, nil
}

func question(query string) string {
	if query == "" {
		return ""
	}
	return "?" + query
}

// everythingQuery is what the parameters ask for.
type everythingQuery struct {
	used  []Pair
	care  careSpan // of start and end
	since fhir.Instant
	types []r4.Code // nil: all
	count int
}

func parseEverything(pairs []Pair) (q everythingQuery, err error) {
	q.count, q.care = DefaultEverything, always
	for _, p := range pairs {
		if p.Value == "" || p.Name == "_format" || p.Name == "_pretty" {
			continue
		}
		switch p.Name {
		case "start":
			from, _, ok := parseSpan(p.Value)
			if !ok {
				return q, refuse(p.Name, "%q is no date", clip(p.Value))
			}
			q.care.from = from
		case "end":
			_, to, ok := parseSpan(p.Value)
			if !ok {
				return q, refuse(p.Name, "%q is no date", clip(p.Value))
			}
			q.care.to = to
		case "_since", "since":
			from, _, ok := parseSpan(p.Value)
			if !ok {
				return q, refuse(p.Name, "%q is no instant such as 2026-01-31T12:00:00Z", clip(p.Value))
			}
			q.since = from
		case "_type":
			for name := range strings.SplitSeq(p.Value, ",") {
				code, ok := r4.CodeOf(strings.TrimSpace(name))
				if !ok {
					return q, refuse(p.Name, "%q is no resource type", clip(name))
				}
				q.types = append(q.types, code)
			}
		case "_count":
			n, err := strconv.ParseUint(p.Value, 10, 31)
			if err != nil || n == 0 {
				return q, refuse(p.Name, "%q is no number above 0", clip(p.Value))
			}
			if n > MaxEverything {
				return q, refuseAs(codeTooCostly, p.Name, "a page has at most %d resources", MaxEverything)
			}
			q.count = int(n)
		default:
			return q, refuse(p.Name, "$everything knows start, end, _since, _type and _count")
		}
		q.used = append(q.used, p)
	}
	if q.care.from >= q.care.to {
		return q, refuse("end", "it is before start")
	}
	return q, nil
}

// everythingAbout gathers what there is.
type everythingAbout struct {
	*run
	of    Compartment
	q     everythingQuery
	found []standing
	seen  map[place]bool
}

// standing is a resource that is in.
type standing struct {
	place
	id string
}

func (e *everythingAbout) wants(typ r4.Code) bool {
	return e.q.types == nil || slices.Contains(e.q.types, typ)
}

// inside reports whether resources of the type belong to the compartment themselves.
func (e *everythingAbout) inside(typ r4.Code) bool {
	return typ == e.of.Type || typ.Compartment(e.of.Type) != nil
}

// gather finds all, in the order of type and id.
func (e *everythingAbout) gather() error {
	types, err := e.v.Types(e.ctx)
	if err != nil {
		return err
	}
	outside := slices.ContainsFunc(types, func(typ r4.Code) bool { return !e.inside(typ) && e.wants(typ) })
	members := map[r4.Code][]store.Ordinal{}
	for _, typ := range types {
		if !e.inside(typ) || !outside && !e.wants(typ) {
			continue
		}
		ordinals, err := e.members(typ)
		if err != nil {
			return err
		}
		members[typ] = ordinals
		if err := e.add(typ, ordinals); err != nil {
			return err
		}
	}
	if outside {
		if err := e.supporting(members); err != nil {
			return err
		}
	}
	slices.SortFunc(e.found, func(a, b standing) int {
		return cmp.Or(cmp.Compare(a.typ, b.typ), strings.Compare(a.id, b.id))
	})
	return nil
}

// members are the resources of a type that belong to the compartment and to the dates that are asked for.
func (e *everythingAbout) members(typ r4.Code) ([]store.Ordinal, error) {
	c, err := e.newClause(typ)
	if err != nil || c == nil {
		return nil, err
	}
	within, err := e.within(typ, e.of)
	if err != nil {
		return nil, err
	}
	c.conds = append(c.conds, within)
	ordinals, _, err := e.enumerate(c, 0, int(store.End), 0)
	if err != nil || e.q.care == always || careDates[typ.String()] == nil {
		return ordinals, err
	}
	return e.inCare(typ, ordinals)
}

// add notes the resources of a type that are wanted and have changed since the instant that is asked for.
func (e *everythingAbout) add(typ r4.Code, ordinals []store.Ordinal) error {
	if !e.wants(typ) {
		return nil
	}
	for some := range slices.Chunk(ordinals, mostBatch) {
		headers, err := e.v.Headers(e.ctx, typ, some)
		if err != nil {
			return err
		}
		for i, h := range headers {
			at := place{typ, some[i]}
			if h.Number == 0 || h.Deleted || e.q.since != 0 && h.Instant <= e.q.since || e.seen[at] {
				continue
			}
			e.seen[at] = true
			e.found = append(e.found, standing{at, h.ID})
		}
	}
	return nil
}

// supportingRounds is how far references among resources outside the compartment are followed: from an encounter to its
// location, to the organization that runs it, to the one that this is part of.
const supportingRounds = 3

// supporting adds what the members refer to and is of types outside the compartment.
func (e *everythingAbout) supporting(from map[r4.Code][]store.Ordinal) error {
	met := map[place]bool{}
	for range supportingRounds {
		targets := map[r4.Code][]index.Target{}
		for typ, ordinals := range from {
			if err := e.targets(typ, ordinals, targets); err != nil {
				return err
			}
		}
		from = map[r4.Code][]store.Ordinal{}
		for typ, refs := range targets {
			ordinals, err := e.there(typ, refs, met)
			if err != nil {
				return err
			}
			if len(ordinals) == 0 {
				continue
			}
			from[typ] = ordinals
			if err := e.add(typ, ordinals); err != nil {
				return err
			}
		}
		if len(from) == 0 {
			return nil
		}
	}
	return nil
}

// targets collects the references of resources to types outside the compartment.
func (e *everythingAbout) targets(typ r4.Code, ordinals []store.Ordinal, into map[r4.Code][]index.Target) error {
	if _, err := e.state(typ); err != nil {
		return err
	}
	all := include{}
	params := all.params(typ)
	known := map[index.Target]bool{}
	for some := range slices.Chunk(ordinals, mostBatch) {
		var b batch
		b.reset(typ)
		for _, o := range some {
			b.add(o, e.mustState(typ).isChanged(o))
		}
		if err := e.load(&b); err != nil {
			return err
		}
		for k := range b.ordinals {
			for _, p := range params {
				for t := range index.Targets(typ, p, b.entries[k], e.env.Base) {
					t.Version = ""
					if t.Type == 0 || e.inside(t.Type) || known[t] {
						continue
					}
					known[t] = true
					into[t.Type] = append(into[t.Type], t)
				}
			}
		}
	}
	return nil
}

// there are the targets that stand, may be seen, and have not been met before.
func (e *everythingAbout) there(typ r4.Code, refs []index.Target, met map[place]bool) ([]store.Ordinal, error) {
	c, err := e.newClause(typ)
	if err != nil || c == nil {
		return nil, err
	}
	found, err := e.resolve(typ, refs)
	if err != nil {
		return nil, err
	}
	var standing []store.Ordinal
	for some := range slices.Chunk(sorted(found), mostBatch) {
		var b batch
		b.reset(typ)
		for _, o := range some {
			if at := (place{typ, o}); !met[at] {
				met[at] = true
				b.add(o, e.mustState(typ).isChanged(o))
			}
		}
		if err := e.judge(c, &b); err != nil {
			return nil, err
		}
		for k, o := range b.ordinals {
			if b.keep[k] {
				standing = append(standing, o)
			}
		}
	}
	return standing, nil
}

// page are those behind the cursor, as many as were asked for, and whether they are the last.
func (e *everythingAbout) page(from *cursor) ([]standing, bool) {
	rest := e.found
	if from != nil && len(from.after.keys) == 1 {
		n, same := slices.BinarySearchFunc(rest, string(from.after.keys[0]), func(s standing, id string) int {
			return cmp.Or(cmp.Compare(s.typ, from.after.typ), strings.Compare(s.id, id))
		})
		if same {
			n++
		}
		rest = rest[n:]
	}
	if len(rest) <= e.q.count {
		return rest, true
	}
	return rest[:e.q.count], false
}

// bodies reads the resources of a page in its order.
func (e *everythingAbout) bodies(page []standing) ([]store.Version, error) {
	places := make([]place, len(page))
	for i, s := range page {
		places[i] = s.place
	}
	return e.read(places)
}
