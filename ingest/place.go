package ingest

import (
	"context"
	"encoding/json"
	"fmt"

	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

// place is how far a job has come: it rides with every batch, so that it is true at any moment.
type place struct {
	Format int `json:"format"` // 1
	File   int `json:"file"`   // index in the plan of the file under way
	// Of that file: what was read, and how many pieces of its failure log there are.
	Line     int64 `json:"line"`
	Offset   int64 `json:"offset"`
	Pieces   int   `json:"pieces"`
	LogBytes int64 `json:"logBytes,omitempty"` // of the pieces
	Logged   bool  `json:"logged,omitempty"`   // the log is written, and its pieces are being deleted
	Failed   int64 `json:"failed"`
	// Of the whole job, and for the progress report.
	Total totals `json:"total"`
}

// totals counts over all files.
type totals struct {
	Scanned       int64 `json:"scanned"` // resources
	Imported      int64 `json:"imported"`
	Failed        int64 `json:"failed"`
	Files         int64 `json:"files"` // done
	FilesFailed   int64 `json:"filesFailed"`
	ImportedBytes int64 `json:"importedBytes"`
	Bytes         int64 `json:"bytes"` // read
}

func placeKey(jobID string) []byte { return []byte("import/" + jobID + "/place") }

// pieceKey is the rider with the n-th piece of the failure log of the file under way.
func pieceKey(jobID string, file, n int) []byte {
	return fmt.Appendf(nil, "import/%s/failure/%08d/%08d", jobID, file, n)
}

func readPlace(ctx context.Context, st *store.Store, jobID string) (place, error) {
	b, err := st.Rider(ctx, placeKey(jobID))
	if err != nil || b == nil {
		return place{Format: 1}, err
	}
	var p place
	if err := json.Unmarshal(b, &p); err != nil || p.Format != 1 {
		return p, fault.Errorf(fault.Internal, "ingest", "the place of import job %s is damaged", jobID)
	}
	return p, nil
}

// nextFile is the beginning of the next file, behind the one under way.
func (p place) nextFile() place {
	next := place{Format: p.Format, File: p.File + 1, Total: p.Total}
	next.Total.Files++
	if p.Failed > 0 {
		next.Total.FilesFailed++
	}
	return next
}

// rider is the place as it goes with a batch.
func (p place) rider(jobID string) store.Rider {
	b, _ := json.Marshal(p) // numbers only: it cannot fail
	return store.Rider{Key: placeKey(jobID), Value: b}
}

// progress is what the ledger shows of the place.
func (p place) progress(of *job.Progress) {
	of.Files, of.FilesFailed = p.Total.Files, p.Total.FilesFailed
	of.ResourcesTotal, of.Resources, of.Failed = p.Total.Scanned, p.Total.Imported, p.Total.Failed
	of.Bytes = p.Total.Bytes
}
