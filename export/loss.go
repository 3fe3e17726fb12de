package export

import (
	"context"
	"errors"
	"fmt"

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
	lossy  bool // something may be missing, and plan is the one that was carried out
}

// proved is what came of a part.
type proved struct {
	files []File
	lost  []store.Lost
}

// newProofs finds the plan: computed again, or where the data store has lost something since, as the job has kept it.
func (s *Service) newProofs(ctx context.Context, data *store.Store, jobID string, j Job) (p *proofs, err error) {
	p = &proofs{Service: s, data: data, job: j, jobID: jobID, number: jobNumber(jobID)}
	v, err := data.At(ctx, j.TxID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, v.Close()) }()
	if p.lossy, err = v.Lossy(ctx); err != nil {
		return nil, err
	}
	if !p.lossy {
		p.plan, err = planSelection(ctx, data, v, &j, s.queries)
		return p, err
	}
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
	part := p.plan[k]
	files, err := writePart(ctx, v, p.job, p.number, part, discard{}, p.share)
	if !p.lossy || err != nil && !errors.Is(err, store.ErrRemoved) {
		return proved{files: files}, err
	}
	var lost []store.Lost
	if err := part.members(ctx, v, func(typ r4.Code, ordinals []store.Ordinal) error {
		some, err := v.Lost(ctx, typ, ordinals)
		lost = append(lost, some...)
		return err
	}); err != nil {
		return proved{}, err
	}
	if len(lost) == 0 && err == nil && (part.Blocks == nil || !p.job.Selection.References) {
		return proved{files: files}, nil
	}
	recorded, err := p.recorded(ctx, k)
	return proved{recorded, lost}, err
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
