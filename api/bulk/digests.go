package bulk

import (
	"bufio"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"tarn/api/edge"
	"tarn/erase"
	"tarn/export"
	"tarn/fhir"
	"tarn/store"
)

// ActionDigests is the permission to have an export's digests computed: it reads the whole data store.
const ActionDigests = "healthlake:GetExportDigests"

// digestHead is what stands before the list of files.
type digestHead struct {
	JobID           string `json:"jobId"`
	DatastoreID     string `json:"datastoreId"`
	TxID            uint64 `json:"txId"`
	TransactionTime string `json:"transactionTime"`
}

// digests is GET export/{jobId}/digests: count, bytes and SHA-256 of each file of the export, computed again from the
// data store as of the export's transaction. The answer is written while it is computed, one file a line; it is valid
// JSON only when it is complete, so that an answer that broke off cannot be taken for a whole one. Where resources of the
// export have been erased since, lost tells how many and by which erasure.
func (f *Face) digests(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error {
	if err := call.Authorize(ActionDigests); err != nil {
		return err
	}
	_, j, err := f.o.Exports.Describe(r.Context(), call.ID, at.job)
	if err != nil {
		return err
	}
	head, err := json.Marshal(digestHead{at.job, call.ID, uint64(j.TxID), j.TransactionTime.String()})
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	begun := false
	begin := func() {
		if !begun {
			begun = true
			w.Header().Set("Content-Type", "application/json")
			out.Write(head[:len(head)-1])
			out.WriteString(`,"output":[`)
		}
	}
	n := 0
	loss, err := f.o.Exports.Digests(r.Context(), call.ID, at.job, func(file export.File) error {
		begin()
		line, err := json.Marshal(file)
		if err != nil {
			return err
		}
		if n++; n > 1 {
			out.WriteByte(',')
		}
		out.WriteByte('\n')
		out.Write(line)
		if err := out.Flush(); err != nil {
			return err
		}
		return http.NewResponseController(w).Flush()
	})
	var lost []byte
	if err == nil && loss.Count() > 0 {
		lost, err = f.lost(r.Context(), call.ID, j.TxID, loss)
	}
	if err != nil {
		if !begun {
			return err
		}
		panic(http.ErrAbortHandler) // the status has gone; breaking the connection is the only way to say that it failed
	}
	begin()
	out.WriteString("\n]")
	out.Write(lost)
	out.WriteString("}\n")
	out.Flush() // a caller that went away is nobody's error
	return nil
}

// lostErasure is what an erasure has taken from an export's data.
type lostErasure struct {
	Erasure string `json:"erasure"` // the id under which it was asked for; empty where its record is gone
	Instant string `json:"instant,omitempty"`
	Count   int    `json:"count"`
}

// lost is the end of an answer that tells what cannot be computed again.
func (f *Face) lost(ctx context.Context, datastore string, at store.TxID, loss export.Loss) ([]byte, error) {
	records, err := f.o.Erasures.Erased(ctx, datastore, at)
	if err != nil {
		return nil, err
	}
	named := map[store.TxID]*erase.Record{}
	for i := range records {
		named[records[i].Tx] = &records[i]
	}
	erasures := []lostErasure{}
	for _, tx := range slices.Sorted(maps.Keys(loss.Erased)) {
		one := lostErasure{Count: loss.Erased[tx]}
		if rec := named[tx]; rec != nil {
			one.Erasure, one.Instant = rec.Erasure, fhir.Instant(rec.Instant).String()
		}
		erasures = append(erasures, one)
	}
	b, err := json.Marshal(struct {
		Erased  []lostErasure `json:"erased"`
		Removed int           `json:"removed"`
	}{erasures, loss.Removed})
	return append([]byte(",\n\"lost\":"), b...), err
}
