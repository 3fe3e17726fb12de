package ingest

import (
	"context"
	"encoding/json"
	"strings"

	"tarn/cloud"
	"tarn/fault"
	"tarn/job"
)

// input is one file of the plan.
type input struct {
	Key  string `json:"key"`
	Size int64  `json:"size"`
}

// list is the plan of an import: the .ndjson objects below the prefix, in the order of their keys.
func list(ctx context.Context, b cloud.Bucket, prefix string) ([]input, error) {
	var files []input
	for o, err := range b.List(ctx, prefix) {
		if err != nil {
			return nil, err
		}
		if !strings.HasSuffix(o.Key, ".ndjson") {
			continue
		}
		if len(files) == MaxFiles {
			return nil, fault.Errorf(fault.Invalid, "ingest", "The input has more than %d files.", MaxFiles)
		}
		files = append(files, input{o.Key, o.Size})
	}
	return files, nil
}

// planPiece is how many files stand in one stored piece of a plan.
const planPiece = 1000

// plan is the stored list of input files, made at the first run.
func plan(ctx context.Context, run *job.Run, in cloud.Bucket, prefix string) ([]input, error) {
	if !run.Planned() {
		files, err := list(ctx, in, prefix)
		if err != nil {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fault.Errorf(fault.Invalid, "ingest", "There is no .ndjson file below the input S3Uri.")
		}
		total := job.Progress{FilesTotal: int64(len(files))}
		for _, f := range files {
			total.BytesTotal += f.Size
		}
		if err := run.SetPlan(ctx, encodePlan(files), total); err != nil {
			return nil, err
		}
	}
	var files []input
	for piece, err := range run.Plan(ctx) {
		if err != nil {
			return nil, err
		}
		var some []input
		if err := json.Unmarshal(piece, &some); err != nil {
			return nil, fault.Errorf(fault.Internal, "ingest", "the plan of this job is damaged: %w", err)
		}
		files = append(files, some...)
	}
	return files, nil
}

func encodePlan(files []input) func(yield func([]byte, error) bool) {
	return func(yield func([]byte, error) bool) {
		for len(files) > 0 {
			n := min(planPiece, len(files))
			piece, err := json.Marshal(files[:n])
			if !yield(piece, err) {
				return
			}
			files = files[n:]
		}
	}
}
