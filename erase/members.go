package erase

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

var patientCode, _ = r4.CodeOf("Patient")

// maxKept bounds how many of the resources that are left standing are named.
const maxKept = 100

// compartment finds what is erased with a patient: of the types of FHIR's Patient compartment what belongs to that patient
// and to no other one. Of what is deleted the last version counts.
type compartment struct {
	ctx       context.Context
	v         *store.View
	then      *store.View // v as of the request
	p         params
	parser    *fhir.Parser
	extractor *index.Extractor
	names     []store.Name
	kept      []string

	tell func(looked int64) error // unless nil, is told from time to time how many resources and versions have been looked at
	seen int64
	told time.Time
}

// tellEvery is how often it is told how far the search for what is meant has come.
const tellEvery = 5 * time.Second

// looked counts one resource or version more.
func (c *compartment) looked() error {
	if c.seen++; c.tell == nil || time.Since(c.told) < tellEvery {
		return nil
	}
	c.told = time.Now()
	return c.tell(c.seen)
}

// meant are the resources that an erasure means and that are not erased yet, the one that it names last, and those of a
// compartment that are left standing since they belong to others too, or have come to do so.
func (s *Service) meant(ctx context.Context, st *store.Store, p params, code r4.Code, tell func(looked int64) error) (names []store.Name, kept []string, err error) {
	return s.look(ctx, st, p, func(c *compartment) error {
		c.tell, c.told = tell, time.Now()
		if p.Compartment {
			if err := c.gather(s.o.Queries); err != nil {
				return err
			}
		}
		return c.named(code)
	})
}

// again decides anew of resources that were changed since it was decided that they are meant.
func (s *Service) again(ctx context.Context, st *store.Store, p params, code r4.Code, changed []store.Name) (names []store.Name, kept []string, err error) {
	return s.look(ctx, st, p, func(c *compartment) error {
		for _, n := range changed {
			if n.Type == code && n.ID == p.ID {
				if err := c.named(code); err != nil {
					return err
				}
				continue
			}
			ordinal, err := c.v.Ordinal(ctx, n.Type, n.ID)
			if err != nil {
				return err
			}
			if err := c.decide(n.Type, n.Type.CompartmentParams(patientCode), []store.Ordinal{ordinal}); err != nil {
				return err
			}
		}
		return nil
	})
}

// look decides by the newest state.
func (s *Service) look(ctx context.Context, st *store.Store, p params, decide func(*compartment) error) (names []store.Name, kept []string, err error) {
	v, err := st.Latest(ctx)
	if err != nil {
		return nil, nil, err
	}
	c := &compartment{ctx: ctx, v: v, then: v.AsOf(p.AsOf), p: p, parser: fhir.NewParser(fhir.Limits{MaxBytes: 2 * store.MaxDocument, MaxDepth: 10_000}), extractor: index.NewExtractor()}
	if err = errors.Join(decide(c), v.Close()); err != nil {
		return nil, nil, err
	}
	return c.names, c.kept, nil
}

// named decides of the resource that the erasure names.
func (c *compartment) named(code r4.Code) error {
	now, err := c.v.Read(c.ctx, code, c.p.ID)
	if err != nil && !fault.Is(err, fault.Gone) {
		return err
	}
	meant, err := c.means(&now)
	if meant {
		c.names = append(c.names, store.Name{Type: code, ID: c.p.ID, Tx: now.Tx})
	}
	return err
}

// means reports whether a resource, by its current version, was there when the erasure was asked for, and has not been
// erased since: what was updated or deleted meanwhile is meant, what was made anew is not.
func (c *compartment) means(now *store.Version) (bool, error) {
	if now.Number == 0 || now.Erased || now.Tx <= c.p.AsOf {
		return now.Number != 0 && !now.Erased, nil
	}
	was, err := c.then.Headers(c.ctx, now.Type, []store.Ordinal{now.Ordinal})
	if errors.Is(err, store.ErrRemoved) {
		// Trim keeps what an erasure has to look at, so this release did not do it. It may have been made anew.
		return false, fault.WithHint(fault.Errorf(fault.Gone, "erase", "The history of the time when it was asked for has been removed, and does not tell any more what was meant."),
			"Ask for it anew.")
	}
	if err != nil {
		return false, err
	}
	return was[0].Number != 0 && !was[0].Erased, nil
}

func (c *compartment) gather(q Queries) error {
	types, err := c.v.Types(c.ctx)
	if err != nil {
		return err
	}
	for _, typ := range types {
		params := typ.CompartmentParams(patientCode)
		if typ == patientCode || len(params) == 0 {
			continue // another patient who is linked to this one is a patient
		}
		found := map[store.Ordinal]bool{}
		for _, param := range params {
			for o, err := range q.Select(c.ctx, c.v, c.p.Base, typ, param.Name+"=Patient/"+c.p.ID) {
				if err == nil {
					err = c.looked()
				}
				if err != nil {
					return err
				}
				found[o] = true
			}
		}
		if err := c.former(typ, params, found); err != nil {
			return err
		}
		ordinals := make([]store.Ordinal, 0, len(found))
		for o := range found {
			ordinals = append(ordinals, o)
		}
		slices.Sort(ordinals)
		for some := range slices.Chunk(ordinals, 16) {
			if err := c.decide(typ, params, some); err != nil {
				return err
			}
		}
	}
	return nil
}

// former adds the resources of which a superseded version belonged to the patient. The index does not know these, so all
// of the history of the type is looked at; a document without the id in it, or an escape, is not taken apart.
func (c *compartment) former(typ r4.Code, params []*r4.SearchParam, found map[store.Ordinal]bool) error {
	for version, err := range c.v.Superseded(c.ctx, typ) {
		if err == nil {
			err = c.looked()
		}
		if err != nil {
			return err
		}
		if found[version.Ordinal] || !bytes.Contains(version.Body, []byte(c.p.ID)) && bytes.IndexByte(version.Body, '\\') < 0 {
			continue
		}
		theirs, _, err := c.belongs(version, params)
		if err != nil {
			return err
		}
		found[version.Ordinal] = theirs
		if !theirs {
			delete(found, version.Ordinal)
		}
	}
	return nil
}

// belongs reports whether a version belongs to the patient, and whether to others.
func (c *compartment) belongs(v store.Version, params []*r4.SearchParam) (theirs, others bool, err error) {
	if _, err := c.parser.Borrow(v.Body); err != nil {
		return false, false, fault.Errorf(fault.Internal, "erase", "a stored %s cannot be read: %w", v.Type, err)
	}
	entries := store.Kept(c.extractor.Extract(c.parser.Doc(), v.Type))
	for _, p := range params {
		for t := range index.Targets(v.Type, p, entries, c.p.Base) {
			if t.Type != patientCode {
				continue
			}
			theirs, others = theirs || t.ID == c.p.ID, others || t.ID != c.p.ID
		}
	}
	return theirs, others, nil
}

// decide says of candidates whether they are erased.
func (c *compartment) decide(typ r4.Code, params []*r4.SearchParam, ordinals []store.Ordinal) error {
	versions, err := c.v.ReadOrdinals(c.ctx, typ, ordinals)
	if err != nil {
		return err
	}
	for _, v := range versions {
		if err := c.looked(); err != nil {
			return err
		}
		if meant, err := c.means(&v); err != nil {
			return err
		} else if !meant {
			continue
		}
		if v.Deleted {
			for last, err := range c.v.History(c.ctx, typ, v.ID, v.Tx) {
				if err != nil {
					return err
				}
				if !last.Deleted {
					v.Body = last.Body
					break
				}
			}
			if v.Body == nil {
				continue
			}
		}
		theirs, others, err := c.belongs(v, params)
		if err != nil {
			return err
		}
		if theirs && !others {
			c.names = append(c.names, store.Name{Type: typ, ID: v.ID, Tx: v.Tx})
		} else if len(c.kept) < maxKept {
			c.kept = append(c.kept, strings.Join([]string{typ.String(), v.ID}, "/"))
		}
	}
	return nil
}
