package export

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

// Loss is what an export holds and the data store has no more, so that nobody can compute it again.
type Loss struct {
	Erased  map[store.TxID]int // resources, by the transaction that erased them
	Removed int                // resources of which the history has been removed by its retention
}

// Count is how many resources are lost.
func (l *Loss) Count() int {
	n := l.Removed
	for _, some := range l.Erased {
		n += some
	}
	return n
}

func (l *Loss) add(lost []store.Lost) {
	for _, one := range lost {
		if one.Erased == 0 {
			l.Removed++
			continue
		}
		if l.Erased == nil {
			l.Erased = map[store.TxID]int{}
		}
		l.Erased[one.Erased]++
	}
}

// proofs makes the digests of an export's parts.
type proofs struct {
	*Service
	data   *store.Store
	job    Job
	jobID  string
	number uint64
	plan   []Part
}

// proved is what came of a part.
type proved struct {
	files []File
	lost  []store.Lost
}

// newProofs finds the plan: computed again, or where that cannot be, as the job has kept it.
func (s *Service) newProofs(ctx context.Context, data *store.Store, jobID string, j Job) (*proofs, error) {
	p := &proofs{Service: s, data: data, job: j, jobID: jobID, number: jobNumber(jobID)}
	if j.Format >= ruled || j.Selection.whole() {
		if again, err := p.planAgain(ctx); again || err != nil {
			return p, err
		}
	}
	p.plan = nil
	for piece, err := range s.ledger.Plan(ctx, jobID) {
		if err != nil {
			return nil, err
		}
		if p.plan, err = decodePlan(p.plan, piece); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// planAgain computes the plan; false where the data store has lost something that it is made from, though it may be
// meanwhile.
func (p *proofs) planAgain(ctx context.Context) (again bool, err error) {
	lossy, err := p.lossy(ctx)
	if lossy || err != nil {
		return false, err
	}
	v, err := p.data.At(ctx, p.job.TxID)
	if err != nil {
		return false, err
	}
	var failed error
	p.plan, failed = planSelection(ctx, v, &p.job, p.queries)
	if err := v.Close(); err != nil {
		return false, err
	}
	if lossy, err = p.lossy(ctx); lossy || err != nil { // the selection has looked at other states too, by views of its own
		return false, err
	}
	return true, failed
}

// lossy reports whether the data store may lack what the plan is made from. That is the state as of the export, and with
// Since all since then: who belonged to a group, and to whom belonged what was deleted.
func (p *proofs) lossy(ctx context.Context) (lossy bool, err error) {
	v, err := p.data.At(ctx, p.job.TxID)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if lossy, err = v.Lossy(ctx); lossy || err != nil || p.job.Selection.Since == 0 {
		return lossy, err
	}
	since, err := v.TxAt(ctx, p.job.Selection.Since)
	if err != nil {
		return false, err
	}
	return v.AsOf(since).Lossy(ctx)
}

// part computes part k again. What has lost resources cannot be: then its files are those that were recorded when they were
// written, if what is left and what is lost make up the plan.
func (p *proofs) part(ctx context.Context, k int) (_ proved, err error) {
	select {
	case p.readers <- struct{}{}:
		defer func() { <-p.readers }()
	case <-ctx.Done():
		return proved{}, context.Cause(ctx)
	}
	v, err := p.data.At(ctx, p.job.TxID) // one view a part, so that no snapshot of the engine is held for long
	if err != nil {
		return proved{}, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	lossy, err := v.Lossy(ctx) // it may have become so since the plan was found
	if err != nil {
		return proved{}, err
	}
	part := p.plan[k]
	files, lost, err := writePart(ctx, v, p.job, p.number, part, discard{}, p.share)
	switch {
	case lossy && errors.Is(err, store.ErrRemoved):
		lost, err = part.remains(ctx, v)
	case err == nil && len(lost) == 0 && (!lossy && p.bound() || part.Blocks == nil || !p.job.Selection.References):
		return proved{files: files}, nil
	}
	if err != nil {
		return proved{}, err
	}
	recorded, err := p.recorded(ctx, k)
	return proved{recorded, lost}, err
}

// bound reports whether what blocks refer to is bound by _security: an older release wrote it whatever labels it had.
func (p *proofs) bound() bool { return p.job.Format >= ruled || len(p.job.Selection.Security) == 0 }

// lost are the resources of the part that the data store has lost since the view.
func (p *Part) lost(ctx context.Context, v *store.View) (all []store.Lost, err error) {
	err = p.members(ctx, v, func(typ r4.Code, ordinals []store.Ordinal) error {
		some, err := v.Lost(ctx, typ, ordinals)
		all = append(all, some...)
		return err
	})
	return all, err
}

// remains are the lost resources of a part that cannot be written as of the view. It is an error where of the others one is
// not there.
func (p *Part) remains(ctx context.Context, v *store.View) (all []store.Lost, err error) {
	if p.Deleted {
		return nil, nil
	}
	left := 0
	if err := p.members(ctx, v, func(typ r4.Code, ordinals []store.Ordinal) error {
		lost, err := v.Lost(ctx, typ, ordinals)
		if err != nil {
			return err
		}
		all = append(all, lost...)
		rest := make([]store.Ordinal, 0, len(ordinals)-len(lost))
		for _, o := range ordinals { // lost has their order
			if len(lost) > 0 && lost[0].Ordinal == o {
				lost = lost[1:]
				continue
			}
			rest = append(rest, o)
		}
		for chunk := range slices.Chunk(rest, lookUps) {
			versions, err := v.Headers(ctx, typ, chunk)
			if err != nil {
				return err
			}
			for _, one := range versions {
				if one.Number != 0 && !one.Deleted {
					left++
				}
			}
		}
		return nil
	}); err != nil {
		return nil, err
	}
	return all, p.madeUp(v.Tx(), left, all)
}

// recorded are the files of a part as its checkpoint names them.
func (p *proofs) recorded(ctx context.Context, k int) ([]File, error) {
	key := fmt.Sprintf(partKey, k)
	for c, err := range p.ledger.Checkpoints(ctx, p.jobID) {
		if err != nil {
			return nil, err
		}
		if c.Key == key {
			return filesOf(job.Checkpoint{Key: c.Key, Value: c.Value})
		}
	}
	return nil, fault.Errorf(fault.Conflict, "export.Digests", "Part %d of the export was never written.", k)
}

// members gives the resources that the part holds by its plan, some at a time.
func (p *Part) members(ctx context.Context, v *store.View, use func(r4.Code, []store.Ordinal) error) error {
	switch {
	case p.Deleted:
		return nil // it names ids alone, which nothing takes away
	case p.Blocks != nil:
		for b, err := range p.blocks() {
			if err != nil {
				return err
			}
			for _, g := range b.groups {
				if err := use(g.typ, g.members); err != nil {
					return err
				}
			}
		}
		return nil
	case p.Members != nil:
		return use(p.Type, p.Members)
	}
	census, err := v.Census(ctx, p.Type)
	if err != nil {
		return err
	}
	live := newOrdinals(census.Next)
	live.fill(census.Next)
	for _, o := range census.Dead {
		live.remove(o)
	}
	for _, o := range census.Erased {
		live.add(o)
	}
	all := make([]store.Ordinal, 0, p.Count)
	for o := p.From; o < p.To; o++ {
		if live.has(o) {
			all = append(all, o)
		}
	}
	return use(p.Type, all)
}
