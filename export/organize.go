package export

import (
	"cmp"
	"slices"
	"strings"

	"tarn/fault"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// maxShared is in how many blocks a resource may stand. One of more patients, such as the Group that lists them all,
// stands in the first of them alone: in each, it would make the output grow with the square of the patients.
const maxShared = 100

// share says that a resource belongs to a patient, both as ordinals: share.of of the resource's type. For patients that are
// not there the ordinals behind the last one stand.
type share struct{ patient, of store.Ordinal }

// organizer finds out whose the chosen resources are.
type organizer struct {
	*chooser
	patients store.Ordinal // ordinals of patients are below
	shares   map[r4.Code][]share
	absent   map[string]store.Ordinal // ids of patients that are not there but referred to
}

// organize makes the parts of output that is organized by patient: the patients in the order of their ordinals, behind
// them those that are not there but referred to, by their ids.
func (c *chooser) organize(choices map[r4.Code]choice) ([]Part, error) {
	o := organizer{chooser: c, shares: map[r4.Code][]share{}, absent: map[string]store.Ordinal{}}
	var err error
	if o.patients, err = c.v.Next(c.ctx, patientCode); err != nil {
		return nil, err
	}
	theirs := map[r4.Code][]share{}
	var types []r4.Code
	for _, code := range codesOf(choices) {
		live := choices[code].live
		if live.count() == 0 {
			continue
		}
		all, err := o.sharesOf(code)
		if err != nil {
			return nil, err
		}
		if code == provenanceCode {
			if all, err = o.ofTargets(live, all); err != nil {
				return nil, err
			}
		}
		theirs[code] = slices.DeleteFunc(slices.Clone(all), func(s share) bool { return !live.has(s.of) })
		types = append(types, code)
	}
	o.orderAbsent(theirs)
	for _, code := range types {
		theirs[code] = byPatient(theirs[code])
	}
	return o.cut(types, theirs)
}

// sharesOf are all shares of a type, whether chosen or not.
func (o *organizer) sharesOf(code r4.Code) ([]share, error) {
	if known, ok := o.shares[code]; ok {
		return known, nil
	}
	o.shares[code] = nil
	next, err := o.v.Next(o.ctx, code)
	if err != nil {
		return nil, err
	}
	alive, err := o.alive(code, next)
	if err != nil {
		return nil, err
	}
	var found []share
	if code == patientCode {
		if err := o.selves(alive, func(at store.Ordinal, _ string) { found = append(found, share{at, at}) }); err != nil {
			return nil, err
		}
	}
	wait := resolving{organizer: o}
	if err := o.references(code, code.CompartmentParams(patientCode), alive, func(at store.Ordinal, t index.Target) {
		if t.Type == patientCode && o.chooser.patients.has(t.ID) {
			wait.add(at, t.ID)
		}
	}); err != nil {
		return nil, err
	}
	wait.flush()
	o.shares[code] = append(found, wait.found...)
	return o.shares[code], wait.err
}

// resolving looks up the ordinals of patients, many in a round trip. In the order of an index one patient's references
// follow each other.
type resolving struct {
	*organizer
	ids   []string
	of    []waiting
	found []share
	err   error
}

type waiting struct {
	at store.Ordinal
	id int // in ids
}

func (r *resolving) add(at store.Ordinal, id string) {
	if n := len(r.ids); n == 0 || r.ids[n-1] != id {
		if n >= 1000 || len(r.of) >= 100_000 {
			r.flush()
		}
		r.ids = append(r.ids, strings.Clone(id))
	}
	r.of = append(r.of, waiting{at, len(r.ids) - 1})
}

func (r *resolving) flush() {
	if r.err != nil || len(r.ids) == 0 {
		return
	}
	var found []store.Ordinal
	if found, r.err = r.v.Ordinals(r.ctx, patientCode, r.ids); r.err != nil {
		return
	}
	for i, id := range r.ids {
		if found[i] != store.Nowhere {
			continue
		}
		known, ok := r.absent[id]
		if !ok {
			known = r.organizer.patients + store.Ordinal(len(r.absent))
			if known < r.organizer.patients || known == store.End {
				r.err = fault.Errorf(fault.TooLarge, "export", "There are too many patients to organize the output by.")
				return
			}
			r.absent[id] = known
		}
		found[i] = known
	}
	for _, w := range r.of {
		r.found = append(r.found, share{found[w.id], w.at})
	}
	r.ids, r.of = r.ids[:0], r.of[:0]
}

// ofTargets adds to the shares of Provenance those of what it is about.
func (o *organizer) ofTargets(live ordinals, direct []share) ([]share, error) {
	links, err := o.provenanceLinks(live)
	if err != nil {
		return nil, err
	}
	all := slices.Clone(direct)
	byResource := map[r4.Code][]share{}
	for _, l := range links {
		if l.typ != patientCode && len(l.typ.Compartment(patientCode)) == 0 {
			continue
		}
		targets, known := byResource[l.typ]
		if !known {
			of, err := o.sharesOf(l.typ)
			if err != nil {
				return nil, err
			}
			targets = slices.SortedFunc(slices.Values(of), func(a, b share) int { return cmp.Compare(a.of, b.of) })
			byResource[l.typ] = targets
		}
		i, _ := slices.BinarySearchFunc(targets, l.at, func(s share, at store.Ordinal) int { return cmp.Compare(s.of, at) })
		for ; i < len(targets) && targets[i].of == l.at; i++ {
			all = append(all, share{targets[i].patient, l.from})
		}
	}
	return all, nil
}

// orderAbsent gives the patients that are not there the order of their ids: in which order they were met depends on what
// the index holds today.
func (o *organizer) orderAbsent(theirs map[r4.Code][]share) {
	if len(o.absent) == 0 {
		return
	}
	order := make([]store.Ordinal, len(o.absent))
	for i, id := range o.absentIDs() {
		order[o.absent[id]-o.patients] = o.patients + store.Ordinal(i)
	}
	for _, shares := range theirs {
		for i, s := range shares {
			if s.patient >= o.patients {
				shares[i].patient = order[s.patient-o.patients]
			}
		}
	}
}

func (o *organizer) absentIDs() []string {
	ids := make([]string, 0, len(o.absent))
	for id := range o.absent {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// byPatient orders shares by patient and resource, each once, and leaves one of those that are too many.
func byPatient(shares []share) []share {
	slices.SortFunc(shares, func(a, b share) int { return cmp.Or(cmp.Compare(a.of, b.of), cmp.Compare(a.patient, b.patient)) })
	shares = slices.Compact(shares)
	kept := shares[:0]
	for len(shares) > 0 {
		n := 1
		for n < len(shares) && shares[n].of == shares[0].of {
			n++
		}
		if n <= maxShared {
			kept = append(kept, shares[:n]...)
		} else {
			kept = append(kept, shares[0])
		}
		shares = shares[n:]
	}
	slices.SortFunc(kept, func(a, b share) int { return cmp.Or(cmp.Compare(a.patient, b.patient), cmp.Compare(a.of, b.of)) })
	return kept
}

// cut makes the parts. In a block the patient comes first, then the types in their order.
func (o *organizer) cut(types []r4.Code, theirs map[r4.Code][]share) ([]Part, error) {
	c := blockCutter{maxLines: o.job.MaxLines}
	absent := o.absentIDs()
	for {
		batch := o.nextPatients(types, theirs)
		if len(batch) == 0 {
			return c.plan, nil
		}
		there, _ := slices.BinarySearch(batch, o.patients)
		names, err := o.v.Headers(o.ctx, patientCode, batch[:there])
		if err = closing(err, o.ctx.Err()); err != nil {
			return nil, err
		}
		for i, p := range batch {
			var b block
			if i < there {
				b.patient = names[i].ID
			} else {
				b.patient = absent[p-o.patients]
			}
			for _, code := range types {
				g := bunch{typ: code}
				for left := theirs[code]; len(left) > 0 && left[0].patient == p; left = theirs[code] {
					if theirs[code] = left[1:]; code == patientCode && left[0].of == p {
						b.groups = slices.Insert(b.groups, 0, bunch{code, []store.Ordinal{p}})
						continue
					}
					g.members = append(g.members, left[0].of)
				}
				if len(g.members) > 0 {
					b.groups = append(b.groups, g)
				}
			}
			c.add(b)
		}
	}
}

// nextPatients are the first of the patients that the shares speak of, ascending.
func (o *organizer) nextPatients(types []r4.Code, theirs map[r4.Code][]share) []store.Ordinal {
	const most = 1000
	var next []store.Ordinal
	for _, code := range types {
		mine := 0
		for i, s := range theirs[code] {
			if i > 0 && theirs[code][i-1].patient == s.patient {
				continue
			}
			if mine++; mine > most {
				break
			}
			next = append(next, s.patient)
		}
	}
	slices.Sort(next)
	next = slices.Compact(next)
	return next[:min(len(next), most)]
}
