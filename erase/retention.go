package erase

import (
	"context"
	"strconv"
	"strings"
	"sync"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/store"
)

// Retention says which superseded versions data stores keep; the zero value is all of them.
type Retention struct {
	Age      time.Duration // those that were current within it; 0: however old
	Versions int           // the newest ones of each resource, the current one among them; 0: however many
}

// historyHold is how far back views and search cursors may read whatever the retention says.
const historyHold = 24 * time.Hour

// trimEvery is how often history is looked through.
const trimEvery = time.Hour

// ParseRetention reads "all", a number of days such as "30d", or a number of versions such as "10".
func ParseRetention(text string) (Retention, error) {
	bad := fault.WithHint(fault.Errorf(fault.Invalid, "erase", "The retention of history is all, a number of days such as 30d, or a number of versions such as 10; not %q.", text),
		"Leave it out to keep every version.")
	if text == "" || text == "all" {
		return Retention{}, nil
	}
	digits, days := strings.CutSuffix(text, "d")
	n, err := strconv.ParseUint(digits, 10, 16)
	switch {
	case err != nil || n == 0:
		return Retention{}, bad
	case days:
		return Retention{Age: time.Duration(n) * 24 * time.Hour}, nil
	}
	return Retention{Versions: int(n)}, nil
}

func (r Retention) limits() bool { return r != Retention{} }

// trimAlways removes what is not kept, again and again until ctx ends.
func (s *Service) trimAlways(ctx context.Context) {
	for ctx.Err() == nil {
		s.trimAll(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(trimEvery):
		}
	}
}

// keyed are locks by name.
type keyed struct {
	mu sync.Mutex
	of map[string]*sync.Mutex
}

func (k *keyed) lock(name string) (unlock func()) {
	k.mu.Lock()
	one := k.of[name]
	if one == nil {
		if k.of == nil {
			k.of = map[string]*sync.Mutex{}
		}
		one = new(sync.Mutex)
		k.of[name] = one
	}
	k.mu.Unlock()
	one.Lock()
	return one.Unlock
}

// trimAll removes what is not kept from the history of every data store.
func (s *Service) trimAll(ctx context.Context) {
	ids, err := s.o.List(ctx)
	if err != nil && ctx.Err() == nil {
		s.o.Log.Error("data stores could not be listed", "error", err)
	}
	for _, id := range ids {
		n, err := s.Trim(ctx, id)
		if err != nil && ctx.Err() == nil {
			s.o.Log.Error("history could not be trimmed", "datastore", id, "error", err)
		}
		if n > 0 {
			s.o.Log.Info("superseded versions removed", "datastore", id, "versions", n)
		}
	}
}

// asked are the erasures of a data store that have not ended, with the transactions as of which they were asked for: what was
// there then decides what they mean.
func (s *Service) asked(ctx context.Context, datastore string) (all []Pin, err error) {
	active, err := s.o.Ledger.Active(ctx, datastore)
	if err != nil {
		return nil, err
	}
	for _, rec := range active {
		if rec.Kind != Kind {
			continue
		}
		p, _, err := parseParams(rec.Params)
		if err != nil {
			return nil, err
		}
		all = append(all, Pin{rec.ID, p.AsOf})
	}
	return all, nil
}

// Trim removes the superseded versions of a data store that need not be kept, and tells how many. What an unfinished job
// reads stays, and what was superseded within a day. It gives way to live traffic and may be broken off.
func (s *Service) Trim(ctx context.Context, datastore string) (removed int, err error) {
	const op = "erase.Trim"
	st, err := s.o.Datastores.Store(ctx, datastore)
	if goes(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	keep := store.Keep{Versions: s.o.Keep.Versions}
	v, err := st.Latest(ctx)
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	keep.Horizon, err = v.TxAt(ctx, fhir.InstantOf(s.o.Clock.Now().Add(-max(s.o.Keep.Age, historyHold))))
	if closed := v.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	pins, err := s.pins(ctx, datastore)
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	waiting, err := s.asked(ctx, datastore)
	if err != nil {
		return 0, fault.Wrap(op, err)
	}
	for _, p := range append(pins, waiting...) {
		keep.Horizon = min(keep.Horizon, p.Tx)
	}
	for at := (store.Place{}); ; {
		began := time.Now()
		unlock := s.rows.lock(datastore) // a purge between its reads and its writes would leave a floor below the veil
		next, n, err := st.Trim(ctx, keep, at)
		unlock()
		if removed += n; err != nil {
			return removed, fault.Wrap(op, err)
		}
		if at = next; at == (store.Place{}) {
			return removed, nil
		}
		rest := time.Since(began) / 4
		if st.Contended() {
			rest = 3 * time.Since(began)
		}
		select {
		case <-ctx.Done():
			return removed, ctx.Err()
		case <-time.After(rest):
		}
	}
}
