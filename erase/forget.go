package erase

import (
	"context"
	"strings"
	"time"

	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

// forgetEvery is how often it is looked in a data store whether records may go.
const forgetEvery = time.Hour

// forgetAtOnce is how many records go in one transaction.
const forgetAtOnce = 500

// forgetAll removes the records that may go from the data stores in which there are erasures, each once in forgetEvery.
func (s *Service) forgetAll(ctx context.Context) {
	s.mu.Lock()
	var due []string
	for id, last := range s.forgot {
		if time.Since(last) >= forgetEvery {
			due = append(due, id)
			s.forgot[id] = time.Now()
		}
	}
	s.mu.Unlock()
	for _, id := range due {
		if _, err := s.o.Datastores.Store(ctx, id); goes(err) {
			s.mu.Lock()
			delete(s.forgot, id)
			s.mu.Unlock()
			s.news.over("forget " + id)
			continue
		}
		n, err := s.Forget(ctx, id)
		if err != nil && ctx.Err() == nil && s.news.isNew("forget "+id, err.Error()) {
			s.o.Log.Error("old records of erasures could not be removed yet; it is tried again", "datastore", id, "error", err)
		}
		if err == nil {
			s.news.over("forget " + id)
		}
		if n > 0 {
			s.o.Log.Info("old records of erasures removed", "datastore", id, "records", n)
		}
	}
}

// Forget removes the records of erasures in a data store that nobody needs any more, and tells how many. The status of an
// erasure needs them while the ledger keeps its job; `tarn verify` while it keeps an export that began before the erasure.
func (s *Service) Forget(ctx context.Context, datastore string) (removed int, err error) {
	const op = "erase.Forget"
	st, err := s.o.Datastores.Store(ctx, datastore)
	if goes(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	records, err := Records(ctx, st, 0) // before the look at the ledger: who is in them has been there
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	strays, err := strays(ctx, st)
	if err != nil || len(records)+len(strays) == 0 {
		return 0, fault.Wrap(op, err)
	}
	ended, err := s.jobs(ctx, datastore)
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	before, exported, err := s.o.Exports.Earliest(ctx, datastore)
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	var gone []store.Rider
	for _, rec := range records {
		if _, known := ended[rec.Erasure]; known || rec.Purged == 0 || exported && before < rec.Tx {
			continue
		}
		removed++
		for _, r := range rec.riders() {
			gone = append(gone, store.Rider{Key: r.Key})
		}
	}
	for id, key := range strays { // behind the records, of which each has two riders that go together
		if over, known := ended[id]; over || !known {
			gone = append(gone, store.Rider{Key: key})
		}
	}
	for len(gone) > 0 {
		some := gone[:min(len(gone), 2*forgetAtOnce)]
		if _, err := st.Commit(ctx, store.Transaction{Riders: some, Bulk: true}); err != nil {
			return 0, fault.Wrap(op, err)
		}
		gone = gone[len(some):]
	}
	return removed, nil
}

// jobs are the erasures of a data store in the ledger, and whether they have ended.
func (s *Service) jobs(ctx context.Context, datastore string) (map[string]bool, error) {
	ended := map[string]bool{}
	for cursor := ""; ; {
		page, err := s.o.Ledger.List(ctx, job.ListFilter{Datastore: datastore, Kind: Kind, Limit: job.MaxList, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, rec := range page.Jobs {
			ended[rec.ID] = rec.State.Terminal()
		}
		if cursor = page.Next; cursor == "" {
			return ended, nil
		}
	}
}

// strays are the riders that say of erasures, by their ids, that they were carried out, though nothing of them is left to
// purge: former releases left one behind where there was nothing to erase.
func strays(ctx context.Context, st *store.Store) (map[string][]byte, error) {
	found := map[string][]byte{}
	prefix := onceKey("")
	for r, err := range st.Riders(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		found[strings.TrimPrefix(string(r.Key), string(prefix))] = r.Key
	}
	if len(found) == 0 {
		return nil, nil
	}
	left, err := pendings(ctx, st)
	for _, p := range left {
		delete(found, p.job)
	}
	return found, err
}
