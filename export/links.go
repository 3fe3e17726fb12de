package export

import (
	"context"
	"slices"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// follower finds what the resources of a block refer to outside the compartments, and what that refers to in turn.
type follower struct {
	v      *store.View
	job    *Job
	parser *fhir.Parser
	found  map[r4.Code]map[string]struct{} // ids that were met since next was asked last
	seen   map[r4.Code]map[string]struct{} // ids that next has told of
	labels labels                          // that what is followed must have
}

// newFollower follows references where the selection asks for that; else it finds nothing.
func newFollower(v *store.View, j *Job) *follower {
	f := &follower{v: v, job: j, labels: labels{param: "_security", values: j.Selection.Security}}
	if j.Selection.References {
		f.parser = fhir.NewParser(fhir.Limits{MaxBytes: 2 * store.MaxDocument, MaxDepth: 10_000})
	}
	return f
}

// begin forgets what was found: another block begins.
func (f *follower) begin() {
	f.found, f.seen = map[r4.Code]map[string]struct{}{}, map[r4.Code]map[string]struct{}{}
}

// note takes what a resource refers to.
func (f *follower) note(body []byte) error {
	if f.parser == nil {
		return nil
	}
	doc, err := f.parser.Scan(body)
	if err != nil {
		return err
	}
	links(doc.Root(), f.job.Base, &f.job.Selection, f.found)
	return nil
}

// next are the resources that were referred to since it was asked last and never before, by type and ordinal; some may be
// deleted.
func (f *follower) next(ctx context.Context) (more []bunch, err error) {
	if f.parser == nil {
		return nil, nil
	}
	found := f.found
	f.found = map[r4.Code]map[string]struct{}{}
	for _, code := range codesOf(found) {
		if f.seen[code] == nil {
			f.seen[code] = map[string]struct{}{}
		}
		var fresh []string
		for id := range found[code] {
			if _, is := f.seen[code][id]; !is {
				f.seen[code][id] = struct{}{}
				fresh = append(fresh, id)
			}
		}
		g := bunch{typ: code}
		for chunk := range slices.Chunk(fresh, 1000) {
			at, err := f.v.Ordinals(ctx, code, chunk)
			if err != nil {
				return nil, err
			}
			g.members = append(g.members, slices.DeleteFunc(at, func(o store.Ordinal) bool { return o == store.Nowhere })...)
		}
		if g.members, err = f.labelled(ctx, code, g.members); err != nil {
			return nil, err
		}
		if len(g.members) > 0 {
			slices.Sort(g.members)
			more = append(more, g)
		}
	}
	return more, nil
}

// labelled leaves out what lacks a label that it must have.
func (f *follower) labelled(ctx context.Context, code r4.Code, all []store.Ordinal) (kept []store.Ordinal, err error) {
	if len(f.labels.values) == 0 {
		return all, nil
	}
	for chunk := range slices.Chunk(all, lookUps) {
		versions, err := f.v.ReadOrdinals(ctx, code, chunk)
		if err != nil {
			return nil, err
		}
		for i := range versions {
			if versions[i].Number == 0 || versions[i].Deleted {
				continue
			}
			has, err := f.labels.of(versions[i], f.job.Base)
			if err != nil {
				return nil, err
			}
			if has {
				kept = append(kept, chunk[i])
			}
		}
	}
	return kept, nil
}

// links gathers the literal references below a node, of the types that belong to no patient and are wanted.
func links(n fhir.Node, base string, sel *Selection, ids map[r4.Code]map[string]struct{}) {
	for child := range n.Children() {
		if k := child.Kind(); k == fhir.Object || k == fhir.Array {
			links(child, base, sel, ids)
			continue
		}
		if child.Kind() != fhir.String || !child.IsMember() || !child.KeyIs("reference") {
			continue
		}
		ref := fhir.ParseReference(string(child.AppendText(nil)))
		if !isLocal(ref, base) {
			continue
		}
		code, ok := r4.CodeOf(ref.Type)
		if !ok || code == patientCode || len(code.Compartment(patientCode)) > 0 || !sel.wants(code) {
			continue
		}
		if ids[code] == nil {
			ids[code] = map[string]struct{}{}
		}
		ids[code][ref.ID] = struct{}{}
	}
}

// isLocal reports whether a reference leads to a resource of the data store with that base.
func isLocal(ref fhir.Reference, base string) bool {
	return ref.Kind == fhir.RelativeReference || ref.Kind == fhir.AbsoluteReference && ref.Base == base
}
