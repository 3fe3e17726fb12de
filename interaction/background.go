package interaction

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"tarn/fault"
	"tarn/fhir/validate"
	"tarn/job"
	"tarn/store"
)

// TransactionKind is the kind of job that carries out a transaction in the background (Prefer: respond-async).
const TransactionKind job.Kind = "transaction"

// maxBackground is how many transactions may wait in the background behind the one that is being carried out.
const maxBackground = 1000

// Background carries out transactions after their callers were answered (FHIR R4 section 3.1.0.7.2; HealthLake's
// asynchronous bundles). A transaction lies in the data store until a job does it; what it wrote and the record of that
// are one commit, so that it is done once, whatever breaks down in between.
type Background struct {
	s      *Service
	ledger *job.Ledger
}

// NewBackground makes it. Its Work is for a job.Runner.
func NewBackground(s *Service, ledger *job.Ledger) *Background { return &Background{s, ledger} }

const (
	pieceSize = 1 << 20
	maxPieces = 16
)

func pieceKey(id string, n int) []byte { return riderKey("body", id, fmt.Sprintf("%02x", n)) }

// submitted is the row of a transaction in the background.
type submitted struct {
	Format  int            `json:"v"`
	Base    string         `json:"base"`
	Level   validate.Level `json:"level,omitempty"`
	Key     string         `json:"key,omitempty"`
	Pieces  int            `json:"pieces"`
	Expires int64          `json:"expires"` // ms since 1970
}

// Submit takes a transaction, durably when it returns, and gives its id. body is what r.Bundle was read from. Several with
// one key have each an id of their own; the first whose turn comes is carried out, and the others get its record.
func (b *Background) Submit(ctx context.Context, r TransactionRequest, body []byte) (id string, err error) {
	const op = "interaction.Submit"
	st, err := b.s.datastores.Store(ctx, r.Datastore)
	if err != nil {
		return "", err
	}
	if err := r.Bundle.recordable(); err != nil {
		return "", err
	}
	pieces := (len(body) + pieceSize - 1) / pieceSize
	if pieces > maxPieces {
		return "", fault.Errorf(fault.TooLarge, op, "The Bundle has %d bytes; the limit is %d.", len(body), maxPieces*pieceSize)
	}
	if id, err = job.NewID(); err != nil {
		return "", err
	}
	now := b.s.now()
	rows, err := expired(ctx, st, now, func(id string) (bool, error) { return b.over(ctx, r.Datastore, id) })
	if err != nil {
		return "", err
	}
	row, err := json.Marshal(submitted{Format: 1, Base: r.Base, Level: r.Options.Level, Key: r.Key, Pieces: pieces, Expires: now.Add(RecordLife).UnixMilli()})
	if err != nil {
		return "", fault.Wrap(op, err)
	}
	rows = append(rows, store.Rider{Key: riderKey("async", id), Value: row}, expiry("async/"+id, now))
	for n := range pieces {
		rows = append(rows, store.Rider{Key: pieceKey(id, n), Value: body[n*pieceSize : min((n+1)*pieceSize, len(body))]})
	}
	if _, err := st.Commit(ctx, store.Transaction{Riders: rows}); err != nil {
		return "", err
	}
	_, _, err = b.ledger.Enqueue(ctx, job.New{ID: id, Kind: TransactionKind, Datastore: r.Datastore, MaxWaiting: maxBackground})
	if err != nil {
		_, forgetting := st.Commit(context.WithoutCancel(ctx), store.Transaction{Riders: forget(id, pieces)})
		return "", errors.Join(err, forgetting)
	}
	return id, nil
}

// forget are riders that remove a transaction before it was carried out; its expiry stays and finds nothing.
func forget(id string, pieces int) []store.Rider {
	return append(bodyGone(id, pieces), store.Rider{Key: riderKey("async", id)})
}

func bodyGone(id string, pieces int) (rows []store.Rider) {
	for n := range pieces {
		rows = append(rows, store.Rider{Key: pieceKey(id, n)})
	}
	return rows
}

// Work carries out the transactions.
func (b *Background) Work() job.Work { return backgroundWork{b} }

type backgroundWork struct{ *Background }

// Run implements job.Work.
func (w backgroundWork) Run(ctx context.Context, run *job.Run) error {
	rec := run.Record()
	st, err := w.s.datastores.Store(ctx, rec.Datastore)
	if err != nil {
		return err
	}
	row, err := readSubmitted(ctx, st, rec.ID)
	if err != nil {
		return err
	}
	result := riderKey("result", rec.ID)
	if done, err := st.Rider(ctx, result); err != nil || done != nil {
		return err // it was carried out before
	}
	if row == nil {
		return fault.Errorf(fault.NotFound, "interaction", "The transaction is no longer there: it was withdrawn, or its time is over.")
	}
	var body []byte
	for n := range row.Pieces {
		piece, err := st.Rider(ctx, pieceKey(rec.ID, n))
		if err != nil {
			return err
		}
		if piece == nil {
			return fault.Errorf(fault.Internal, "interaction", "transaction %s lacks its piece %d", rec.ID, n)
		}
		body = append(body, piece...)
	}
	err = w.carryOut(ctx, st, TransactionRequest{Datastore: rec.Datastore, Base: row.Base, Options: WriteOptions{Level: row.Level}, Key: row.Key}, body, rec.ID, row.Pieces)
	if err == nil || errors.Is(err, store.ErrDone) {
		return nil
	}
	if errors.Is(err, store.ErrIndexing) { // its conditions are searches
		return job.Awaiting(err)
	}
	kind := fault.KindOf(err)
	if ctx.Err() != nil || kind == fault.Internal || kind == fault.Unavailable {
		return err
	}
	if err = conclude(ctx, st, rec.ID, row.Pieces, encodeFailure(err)); errors.Is(err, store.ErrDone) {
		return nil
	}
	return err
}

// conclude writes what came of a transaction that itself writes nothing; store.ErrDone where it is known already.
func conclude(ctx context.Context, st *store.Store, id string, pieces int, result []byte) error {
	key := riderKey("result", id)
	_, err := st.Commit(ctx, store.Transaction{Once: [][]byte{key}, Riders: append(bodyGone(id, pieces), store.Rider{Key: key, Value: result})})
	return err
}

func (w backgroundWork) carryOut(ctx context.Context, st *store.Store, r TransactionRequest, body []byte, id string, pieces int) error {
	b, err := w.s.ReadBundle(r.Base, body)
	if err != nil {
		return err
	}
	defer b.Close()
	result := riderKey("result", id)
	r.Bundle, r.Once = b, [][]byte{result}
	r.Keep = func(done Transacted) []store.Rider {
		return append(bodyGone(id, pieces), store.Rider{Key: result, Value: Record{Transacted: done, Entries: b.Entries}.encode()})
	}
	if r.Key == "" {
		_, err = w.s.Transact(ctx, r)
		return err
	}
	rec, again, err := w.s.TransactOnce(ctx, r)
	if err != nil || !again {
		return err
	}
	rec.Again = true
	return conclude(ctx, st, id, pieces, rec.encode())
}

// Failed implements job.Failer: whoever asks for the transaction hears that it has failed, and its Bundle goes. Where that
// cannot be written either, Status or Tidy does it.
func (w backgroundWork) Failed(ctx context.Context, run *job.Run, reason error) error {
	rec := run.Record()
	st, err := w.s.datastores.Store(ctx, rec.Datastore)
	if goes(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if row, err := readSubmitted(ctx, st, rec.ID); err == nil && row == nil {
		return nil
	}
	for pause := time.Second; ; pause *= 2 {
		err := conclude(ctx, st, rec.ID, maxPieces, encodeFailure(givenUp(reason)))
		if errors.Is(err, store.ErrDone) {
			return nil
		}
		if !fault.Is(err, fault.Unavailable) {
			return err
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return err
		case <-timer.C:
		}
	}
}

// goes reports whether a data store cannot be had since it is being deleted, with all that is in it.
func goes(err error) bool {
	return fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone) || fault.Is(err, fault.Conflict)
}

// Cancelled implements job.Canceller: a transaction that was stopped leaves nothing.
func (w backgroundWork) Cancelled(ctx context.Context, run *job.Run) error {
	rec := run.Record()
	st, err := w.s.datastores.Store(ctx, rec.Datastore)
	if goes(err) {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = st.Commit(ctx, store.Transaction{Riders: forget(rec.ID, maxPieces)})
	return err
}
