package bulk

import (
	"bufio"
	"encoding/json"
	"net/http"

	"tarn/api/edge"
	"tarn/export"
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
// JSON only when it is complete, so that an answer that broke off cannot be taken for a whole one.
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
	err = f.o.Exports.Digests(r.Context(), call.ID, at.job, func(file export.File) error {
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
	if err != nil {
		if !begun {
			return err
		}
		panic(http.ErrAbortHandler) // the status has gone; breaking the connection is the only way to say that it failed
	}
	begin()
	out.WriteString("\n]}\n")
	out.Flush() // a caller that went away is nobody's error
	return nil
}
