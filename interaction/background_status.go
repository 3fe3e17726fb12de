package interaction

import (
	"context"
	"encoding/json"
	"errors"

	"tarn/fault"
	"tarn/fhir"
	"tarn/job"
	"tarn/store"
)

// Progress is how far a transaction in the background is. A nil Record says that it is not done: State is then
// job.Submitted or job.InProgress.
type Progress struct {
	State  job.State
	Record *Record
}

// Status tells of a transaction that was submitted: fault.NotFound where there is none or it is over RecordLife ago, and
// the error of the transaction where it failed; fault.Internal where the server could not carry it out and has given up.
func (b *Background) Status(ctx context.Context, datastore, id string) (Progress, error) {
	const op = "interaction.Status"
	st, err := b.s.datastores.Store(ctx, datastore)
	if err != nil {
		return Progress{}, err
	}
	none := fault.WithHint(fault.Errorf(fault.NotFound, op, "There is no transaction %s.", clip(id)), "Results are kept for 90 days.")
	if !fhir.ValidID(id) {
		return Progress{}, none
	}
	row, err := readSubmitted(ctx, st, id)
	switch {
	case err != nil:
		return Progress{}, err
	case row == nil:
		return Progress{}, none
	}
	done, found, err := readRecord(ctx, st, riderKey("result", id))
	if found && row.Expires < b.s.now().UnixMilli() { // what still waits does not expire
		return Progress{}, none
	}
	if found || err != nil {
		return Progress{job.Completed, done}, err
	}
	rec, err := b.ledger.Describe(ctx, datastore, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return Progress{}, none
	case err != nil:
		return Progress{}, err
	case rec.State.Waiting():
		return Progress{State: job.Submitted}, nil
	case !rec.State.Terminal():
		return Progress{State: job.InProgress}, nil
	}
	// The result may have been written since it was looked for. Else it was not to be had when the job was given up, and is
	// now, or the caller hears the same again.
	over := givenUp(fault.Errorf(fault.Internal, op, "%s", rec.Message))
	_ = conclude(ctx, st, id, row.Pieces, encodeFailure(over))
	if done, found, err := readRecord(ctx, st, riderKey("result", id)); found || err != nil {
		return Progress{job.Completed, done}, err
	}
	return Progress{}, over
}

// givenUp is the error of a transaction that is tried no more, for a reason that is none of its own. It is not
// fault.Unavailable, for which clients would ask again and again.
func givenUp(reason error) error {
	const op = "interaction.Transact"
	if why := fault.Message(reason); why != "" && !fault.HasForeignCause(reason) {
		return fault.Errorf(fault.Internal, op, "The transaction could not be carried out, and nothing of it was: %s", why)
	}
	return fault.Errorf(fault.Internal, op, "The transaction could not be carried out, and nothing of it was.")
}

// over reports whether nobody works on a transaction any more, nor will.
func (b *Background) over(ctx context.Context, datastore, id string) (bool, error) {
	rec, err := b.ledger.Describe(ctx, datastore, id)
	if fault.Is(err, fault.NotFound) {
		return true, nil
	}
	return err == nil && rec.State.Terminal(), err
}

func readSubmitted(ctx context.Context, st *store.Store, id string) (*submitted, error) {
	value, err := st.Rider(ctx, riderKey("async", id))
	if err != nil || value == nil {
		return nil, err
	}
	row := new(submitted)
	if err := json.Unmarshal(value, row); err != nil || row.Format != 1 {
		return nil, fault.Errorf(fault.Internal, "interaction", "transaction %s cannot be read (format %d): %w", id, row.Format, errors.Join(err))
	}
	return row, nil
}
