package interaction

import (
	"context"
	"errors"
	"net/http"

	"tarn/fault"
	"tarn/fhir"
	"tarn/store"
)

// TransactionRequest is a Bundle of type transaction to be carried out.
type TransactionRequest struct {
	Datastore string
	Base      string // URL of the data store, with a slash at its end
	Bundle    *Bundle
	Options   WriteOptions

	// Key is for TransactOnce and Submit: of all transactions with one key one is carried out.
	Key string
	// Once are keys of riders that Keep writes: a transaction of which one is there is store.ErrDone.
	Once [][]byte
	// Keep, unless nil, gives riders that commit with the transaction. It is called under the commit lock, perhaps more
	// than once.
	Keep func(Transacted) []store.Rider
}

// Transacted is what a transaction did.
type Transacted struct {
	Tx   store.TxID // as of which its reads are to be answered: they see all that it wrote
	Done []Done     // one for each entry
}

// Done is what became of one entry.
type Done struct {
	Status  int           // 200, 201 or 204; 0: the entry writes nothing and is still to be answered
	Version store.Version // what stands now; bare Type and ID where there was nothing to delete
	// Tolerated are the issues of the resource that the level minimal passed over.
	Tolerated []fhir.Issue
}

// Transact carries out a transaction (FHIR R4 section 3.1.0.11.2), all or nothing: the entries that write. Those that
// read are left to the caller, as of the TxID that it returns.
//
// Deletes come first, then creates, updates and patches; conditional references are resolved last, so that they find
// what the transaction itself creates. Whatever was found by search criteria is checked again when the transaction
// commits, and if it has moved everything begins anew. The error names the entry, Bundle.entry[3], and is of the kind
// that the entry would have met alone.
func (s *Service) Transact(ctx context.Context, r TransactionRequest) (Transacted, error) {
	t := &transaction{s: s, r: &r, entries: make([]entryPlan, len(r.Bundle.Entries))}
	if err := t.read(); err != nil {
		return Transacted{}, err
	}
	var err error
	if r.Options, err = s.withProfiles(ctx, r.Datastore, r.Options); err != nil {
		return Transacted{}, err
	}
	var done Transacted
	err = s.settle(ctx, r.Datastore, func(st *store.Store, v *store.View) (err error) {
		done, err = t.try(ctx, st, v)
		return err
	})
	if errors.Is(err, ErrMoved) {
		err = fault.Errorf(fault.Conflict, "interaction.Transact", "What the criteria of the transaction match changes too often; send it again.")
	}
	return done, err
}

// transaction is one that is being carried out. What does not depend on the state of the data store is found once; the
// rest at each attempt.
type transaction struct {
	s       *Service
	r       *TransactionRequest
	entries []entryPlan
	links   linkTable
}

// try makes one attempt as of a view.
func (t *transaction) try(ctx context.Context, st *store.Store, v *store.View) (Transacted, error) {
	a := &attempt{transaction: t, ctx: ctx, v: v, aims: make([]aim, len(t.entries))}
	if err := a.resolve(); err != nil {
		return Transacted{}, err
	}
	if err := a.prepare(); err != nil {
		return Transacted{}, err
	}
	return a.commit(st)
}

// attempt is one attempt at a transaction.
type attempt struct {
	*transaction
	ctx    context.Context
	v      *store.View
	aims   []aim
	guards []store.Guard
	writes []store.Write
	at     []int // the entry of each write
	// references are what the conditional references of the transaction stand for.
	references map[string]string
}

// aim is what an entry writes.
type aim struct {
	write     bool // false: it reads, or it is a create whose criteria are met
	id        string
	found     store.Version // what the criteria of a create met, or of what a patch is made
	number    uint64        // of the version that is updated, where a link asks for the next one
	own       bool          // the write's condition is not the caller's: if it fails, look again
	w         store.Write
	tolerated []fhir.Issue
}

func (a *attempt) commit(st *store.Store) (Transacted, error) {
	for i := range a.aims {
		if a.aims[i].write {
			a.writes, a.at = append(a.writes, a.aims[i].w), append(a.at, i)
		}
	}
	if len(a.writes) == 0 && a.r.Once == nil && a.r.Keep == nil {
		return a.done(nil), nil
	}
	tx := store.Transaction{Writes: a.writes, Guards: a.guards, Once: a.r.Once}
	if a.r.Keep != nil {
		tx.Report = func(results []store.Result) []store.Rider { return a.r.Keep(a.done(results)) }
	}
	results, err := st.Commit(a.ctx, tx)
	var one *store.WriteError
	switch {
	case err == nil:
		return a.done(results), nil
	case errors.As(err, &one) && one.Write < len(a.at):
		i := a.at[one.Write]
		if a.aims[i].own && fault.Is(err, fault.Precondition) {
			return Transacted{}, ErrMoved
		}
		return Transacted{}, a.failed(i, one.Err)
	}
	return Transacted{}, err
}

// done tells what the results of the writes mean for the entries.
func (a *attempt) done(results []store.Result) Transacted {
	t := Transacted{Tx: a.v.Tx(), Done: make([]Done, len(a.entries))}
	for i := range a.aims {
		e, aim := &a.r.Bundle.Entries[i], &a.aims[i]
		switch {
		case !e.Writes() || aim.write:
		case e.action == creates:
			t.Done[i] = Done{Status: http.StatusOK, Version: aim.found}
		default: // a conditional delete of nothing
			t.Done[i] = Done{Status: http.StatusNoContent, Version: store.Version{Type: e.typ}}
		}
	}
	for n, res := range results {
		i := a.at[n]
		status := http.StatusOK
		switch {
		case res.Change == store.Created:
			status = http.StatusCreated
		case a.r.Bundle.Entries[i].action == deletes:
			status = http.StatusNoContent
		}
		t.Done[i] = Done{Status: status, Version: res.Version, Tolerated: a.aims[i].tolerated}
		if res.Change != store.None {
			t.Tx = res.Tx
		}
	}
	return t
}
