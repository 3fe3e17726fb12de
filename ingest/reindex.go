package ingest

import (
	"context"
	"time"

	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

// Bounds of a step of a reindex: the resources that it looks at, and those that it extracts, quietly or beside live
// traffic.
const (
	reindexLook      = 4000
	reindexLines     = 1000
	reindexBytes     = 2 << 20
	reindexLiveBytes = 64 << 10
)

// ReindexWork extracts the index entries of data stores again that were written by other tables than today's (index.Epoch),
// or before there were any. Reads and writes go on beside it; until it has ended store.IndexEpoch says so.
func (s *Service) ReindexWork() job.Work { return reindexWork{s} }

type reindexWork struct{ *Service }

// formerPlace is the rider in which earlier releases kept how far a reindex had come.
var formerPlace = []byte("reindex/place")

// Run implements job.Work. Each run looks at everything, and passes over what is of today's epoch: what another program has
// written since a former run was stopped lies wherever it lies. What it does twice changes nothing the second time.
func (w reindexWork) Run(ctx context.Context, run *job.Run) error {
	st, err := w.o.Datastores.Store(ctx, run.Record().Datastore)
	if goes(err) {
		return nil // it is being deleted
	}
	if err != nil {
		return err
	}
	if epoch, err := st.IndexEpoch(ctx); err != nil || epoch == index.Epoch {
		return err
	}
	r := &reindexing{store: st, run: run, parser: fhir.NewParser(fhir.Limits{MaxBytes: store.MaxDocument + store.MaxDocument/16}), extractor: index.NewExtractor()}
	return r.work(ctx)
}

// reindexing is one run of a reindex.
type reindexing struct {
	store     *store.Store
	run       *job.Run
	parser    *fhir.Parser
	extractor *index.Extractor
	typ       r4.Code       // under way
	next      store.Ordinal // the first one of the type that is left to do
	done      int64         // resources
	told      time.Time
}

// work goes through all types, and through those that come meanwhile, which are of today's epoch.
func (r *reindexing) work(ctx context.Context) error {
	if err := r.tell(ctx); err != nil {
		return err
	}
	for {
		begin := time.Now()
		more, err := r.step(ctx)
		if err != nil || !more {
			return err
		}
		if r.store.Contended() {
			rest(ctx, time.Since(begin))
		}
		if time.Since(r.told) >= progressEvery {
			if err := r.tell(ctx); err != nil {
				return err
			}
		}
	}
}

// step does some resources of the type under way; false when all types are done.
func (r *reindexing) step(ctx context.Context) (more bool, err error) {
	v, err := r.store.Latest(ctx)
	if err != nil {
		return false, err
	}
	defer func() {
		if closed := v.Close(); err == nil {
			err = closed
		}
	}()
	end, found, err := r.typeUnderWay(ctx, v)
	if err != nil {
		return false, err
	}
	if !found {
		_, err := r.store.Reindex(ctx, nil, store.Rider{Key: formerPlace}, store.IndexEpochRider(index.Epoch))
		if err == nil {
			err = r.tell(ctx)
		}
		return false, err
	}
	to := min(end, r.next+reindexLook)
	list, next, err := r.stale(ctx, v, to)
	if err != nil {
		return false, err
	}
	if len(list) > 0 {
		_, err = r.store.Reindex(ctx, list)
	}
	if err == nil {
		r.done += int64(next - r.next)
		r.next = next
	}
	return true, err
}

// typeUnderWay moves on to the next type where one is done, and gives the end of its ordinals.
func (r *reindexing) typeUnderWay(ctx context.Context, v *store.View) (end store.Ordinal, found bool, err error) {
	types, err := v.Types(ctx)
	if err != nil {
		return 0, false, err
	}
	for _, typ := range types {
		if typ < r.typ {
			continue
		}
		if typ > r.typ {
			r.typ, r.next = typ, 0
		}
		census, err := v.Census(ctx, typ)
		if err != nil {
			return 0, false, err
		}
		if r.next < census.Next {
			return census.Next, true, nil
		}
	}
	return 0, false, nil
}

// stale extracts the resources up to an ordinal that are not of today's epoch, as many as a step may have. next is the
// first that was not looked at.
func (r *reindexing) stale(ctx context.Context, v *store.View, to store.Ordinal) (list []store.Reindexed, next store.Ordinal, err error) {
	fresh, err := v.OfEpoch(ctx, r.typ, index.Epoch, r.next, to)
	if err != nil {
		return nil, 0, err
	}
	if len(fresh) == int(to-r.next) {
		return nil, to, nil
	}
	limit := reindexBytes
	if r.store.Contended() {
		limit = reindexLiveBytes
	}
	scan := v.Scan(ctx, r.typ, r.next, to)
	defer func() {
		if closed := scan.Close(); err == nil {
			err = closed
		}
	}()
	for size := 0; scan.Next(); {
		r.run.Alive()
		for len(fresh) > 0 && fresh[0] < scan.Ordinal() {
			fresh = fresh[1:]
		}
		if len(fresh) > 0 && fresh[0] == scan.Ordinal() {
			continue
		}
		if size >= limit || len(list) == reindexLines {
			return list, scan.Ordinal(), nil
		}
		version := scan.Version()
		size += len(version.Body)
		one := store.Reindexed{Type: version.Type, ID: version.ID, Tx: version.Tx, Epoch: index.Epoch}
		// What was stored can be read; if an earlier parser took more than this one does, it has no entries.
		if _, err := r.parser.Borrow(version.Body); err == nil {
			one.Entries = r.extractor.ExtractOwned(r.parser.Doc(), version.Type)
		}
		list = append(list, one)
	}
	return list, to, scan.Err()
}

// tell brings the ledger's progress up to date. What a former run had done counts once: progress only grows.
func (r *reindexing) tell(ctx context.Context) error {
	r.told = time.Now()
	return r.run.SetProgress(ctx, func(p *job.Progress) { p.Resources = max(p.Resources, r.done) })
}
