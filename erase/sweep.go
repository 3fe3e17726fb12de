package erase

import (
	"context"
	"time"

	"tarn/store"
)

// sweepEvery is how often uploads are looked for that nobody takes. There are some only after a failure, and a data store
// that is opened has been looked through.
const sweepEvery = time.Hour

// uploadTime is how long a purge waits for large resources that are on their way: one that is refused leaves bytes behind
// which have to be gone before the files are written anew. It is then begun again.
const uploadTime = 30 * time.Second

// sweep takes away all uploads of a data store that began before the call and that no transaction has taken. An erased
// resource may have been sent more than once, and what nobody took of it has no id by which it could be found.
func (s *Service) sweep(ctx context.Context, st *store.Store) error {
	ctx, cancel := context.WithTimeout(ctx, uploadTime)
	defer cancel()
	return st.SweepAll(ctx)
}

// sweepAlways erases uploads that nobody takes, again and again until ctx ends.
func (s *Service) sweepAlways(ctx context.Context) {
	for {
		timer := time.NewTimer(sweepEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		s.eachDatastore(ctx, "sweep", "uploads that nobody takes could not be erased; it is tried again", func(_ string, st *store.Store) error {
			return st.Sweep(ctx)
		})
	}
}

// eachDatastore does something in every data store that is ACTIVE; what fails in one keeps none of the others. It tells
// whether nothing has failed, and the log, now and then, what has.
func (s *Service) eachDatastore(ctx context.Context, of, failed string, do func(id string, st *store.Store) error) bool {
	ids, err := s.o.List(ctx)
	if err != nil {
		if ctx.Err() == nil && s.news.isNew(of, err.Error()) {
			s.o.Log.Error("data stores could not be listed", "error", err)
		}
		return false
	}
	s.news.over(of)
	all := true
	for _, id := range ids {
		if ctx.Err() != nil {
			return false
		}
		st, err := s.o.Datastores.Store(ctx, id)
		if goes(err) {
			continue // it is being deleted, with all that is in it
		}
		if err == nil {
			err = do(id, st)
		}
		if err == nil {
			s.news.over(of + " " + id)
			continue
		}
		all = false
		if ctx.Err() == nil && s.news.isNew(of+" "+id, err.Error()) {
			s.o.Log.Error(failed, "datastore", id, "error", err)
		}
	}
	return all
}
