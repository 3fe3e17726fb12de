package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

// placeFormat is the format of places that are written. In format 1 there are no logs of what was stored, and a file is
// left only when its log is written.
const placeFormat = 2

// place is how far a job has come: it rides with every batch, so that it is true at any moment.
type place struct {
	Format int `json:"format"`
	File   int `json:"file"` // index in the plan of the file under way
	// Of that file: what was read, what is kept for its logs, and how many lines failed.
	Line   int64 `json:"line"`
	Offset int64 `json:"offset"`
	kept
	Logged bool  `json:"logged,omitempty"` // format 1: the log is written, and its pieces are being deleted
	Failed int64 `json:"failed"`
	// Owed are the files behind that are done and whose logs may not be written yet.
	Owed []owed `json:"owed,omitempty"`
	// Of the whole job, and for the progress report.
	Total totals `json:"total"`
	// Ended is why the job does not go on, whatever its record says; empty: it does.
	Ended string `json:"ended,omitempty"`
	// Closed: the logs and the manifest of a job that does not go on are written, or never will be, and nothing is kept of them.
	Closed bool `json:"closed,omitempty"`

	raw []byte // as it was read or written; nil: it is none yet
}

// kept is what is kept of the logs of a file until they are written.
type kept struct {
	Pieces    int   `json:"pieces"`              // of the log of failures
	LogBytes  int64 `json:"logBytes,omitempty"`  // of them
	Successes int   `json:"successes,omitempty"` // pieces of the logs of what was stored
	Told      int64 `json:"told,omitempty"`      // bytes of what was tolerated in it
}

// owed is a file whose logs are to be written.
type owed struct {
	File int `json:"file"`
	kept
	Logged bool `json:"logged,omitempty"` // they are written, and their pieces are being deleted
}

// totals counts over all files.
type totals struct {
	Scanned       int64 `json:"scanned"` // resources
	Imported      int64 `json:"imported"`
	Failed        int64 `json:"failed"`
	Files         int64 `json:"files"`       // done
	FilesFailed   int64 `json:"filesFailed"` // could not be read: one, since that ends the job, or none
	ImportedBytes int64 `json:"importedBytes"`
	Bytes         int64 `json:"bytes"` // read
}

// riders begins the keys of the riders of all imports.
const riders = "import/"

// jobRiders begins those of one.
func jobRiders(jobID string) string { return riders + jobID + "/" }

func placeKey(jobID string) []byte { return []byte(jobRiders(jobID) + "place") }

// pieceKey is the rider with the n-th piece of the log of failures of a file.
func pieceKey(jobID string, file, n int) []byte {
	return fmt.Appendf(nil, "%sfailure/%08d/%08d", jobRiders(jobID), file, n)
}

// successKey is the rider with the n-th piece of the logs of what was stored of a file.
func successKey(jobID string, file, n int) []byte {
	return fmt.Appendf(nil, "%ssuccess/%08d/%08d", jobRiders(jobID), file, n)
}

func readPlace(ctx context.Context, st *store.Store, jobID string) (place, error) {
	b, err := st.Rider(ctx, placeKey(jobID))
	if err != nil || b == nil {
		return place{Format: placeFormat}, err
	}
	var p place
	if err := json.Unmarshal(b, &p); err != nil || p.Format < 1 || p.Format > placeFormat {
		return p, fault.Errorf(fault.Internal, "ingest", "the place of import job %s is damaged, or of a newer release", jobID)
	}
	if p.Format == 1 && p.Logged {
		p = p.nextFile()
		p.Owed[len(p.Owed)-1].Logged = true
	}
	p.Format, p.raw = placeFormat, b
	return p, nil
}

// errOvertaken says that another worker moves the same job on. Whoever has lost the claim finds that out when it tries
// again, and whoever holds it goes on from the place that it finds then.
func errOvertaken(err error) error {
	if errors.Is(err, store.ErrStale) {
		return fault.Errorf(fault.Unavailable, "ingest", "another worker has moved the import on: %w", err)
	}
	return err
}

// to is the transaction, yet without writes, that moves a job on from the place and no other.
func (p place) to(jobID string, next *place, riders []store.Rider) store.Transaction {
	next.raw, _ = json.Marshal(next) // numbers, and text that is valid: it cannot fail
	key := placeKey(jobID)
	return store.Transaction{Given: &store.Rider{Key: key, Value: p.raw}, Riders: append(riders, store.Rider{Key: key, Value: next.raw}), Bulk: true}
}

// move commits that.
func (p place) move(ctx context.Context, st *store.Store, jobID string, next place, riders []store.Rider) (place, error) {
	if _, err := st.Commit(ctx, p.to(jobID, &next, riders)); err != nil {
		return p, errOvertaken(err)
	}
	return next, nil
}

// nextFile is the beginning of the next file, behind the one under way.
func (p place) nextFile() place {
	next := place{Format: placeFormat, File: p.File + 1, Owed: p.withOwn(), Total: p.Total}
	next.Total.Files++
	next.Total.FilesFailed = 0
	return next
}

// withOwn are the files that logs are owed to, with the one under way.
func (p place) withOwn() []owed {
	if p.kept == (kept{}) {
		return p.Owed
	}
	return append(p.Owed[:len(p.Owed):len(p.Owed)], owed{File: p.File, kept: p.kept})
}

// progress is what the ledger shows of the place.
func (p place) progress(of *job.Progress) {
	of.Files, of.FilesFailed = p.Total.Files, p.Total.FilesFailed
	of.ResourcesTotal, of.Resources, of.Failed = p.Total.Scanned, p.Total.Imported, p.Total.Failed
	of.Bytes = p.Total.Bytes
}
