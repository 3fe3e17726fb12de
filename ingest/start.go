package ingest

import (
	"cmp"
	"context"
	"encoding/json"

	"tarn/export"
	"tarn/fault"
	"tarn/job"
)

// Preflight checks the output as an export's is checked, and that the role may read the input: all findings at once.
func (s *Service) Preflight(ctx context.Context, r Request) ([]export.Finding, error) {
	j, err := s.job(r)
	if err != nil {
		return nil, err
	}
	checked, err := s.output(j).Check(ctx, s.o.Cloud)
	return checked.Findings, err
}

// output is where a job writes, and what it reads.
func (s *Service) output(j Job) export.Destination {
	return export.Destination{Partition: s.o.Partition, SourceARN: j.DatastoreARN, RoleARN: j.RoleARN, Bucket: j.OutputBucket,
		Folder: j.OutputPrefix + j.Datastore + "-FHIR_IMPORT-", KMSKeyID: cmp.Or(j.KeyARN, j.KMSKeyID),
		Input: &export.Input{Bucket: j.InputBucket, Prefix: j.InputPrefix}}
}

// job fixes the parameters of a request.
func (s *Service) job(r Request) (Job, error) {
	j := Job{Format: 1, Datastore: r.Datastore, DatastoreARN: r.DatastoreARN, RoleARN: r.RoleARN, InputS3Uri: r.InputS3Uri, OutputS3Uri: r.OutputS3Uri,
		KMSKeyID: r.KMSKeyID, ValidationLevel: r.ValidationLevel, Caller: r.Caller}
	if j.ValidationLevel == "" {
		j.ValidationLevel = "strict"
	}
	var err error
	if j.InputBucket, j.InputPrefix, err = export.ParseS3Uri(r.InputS3Uri); err != nil {
		return j, err
	}
	j.OutputBucket, j.OutputPrefix, err = export.ParseS3Uri(r.OutputS3Uri)
	return j, err
}

// Start checks a request (Preflight) and queues the job. Errors: fault.NotFound and fault.Conflict of the data store,
// *export.PreflightError with all findings, fault.Throttled where MaxWaiting imports wait. The same ClientToken with
// the same request gives the job that it made before.
func (s *Service) Start(ctx context.Context, r Request) (job.Record, error) {
	const op = "ingest.Start"
	if rec, found, err := s.o.Ledger.Lookup(ctx, Import, r.Datastore, r.ClientToken, r.fingerprint()); found || err != nil {
		return rec, fault.Wrap(op, err)
	}
	if _, err := s.o.Datastores.Store(ctx, r.Datastore); err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	j, err := s.job(r)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	checked, err := s.output(j).Check(ctx, s.o.Cloud)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	if len(checked.Findings) > 0 {
		return job.Record{}, &export.PreflightError{Job: "import", Findings: checked.Findings}
	}
	j.KeyARN = checked.KeyARN
	params, err := json.Marshal(j)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	rec, _, err := s.o.Ledger.Enqueue(ctx, job.New{Kind: Import, Datastore: r.Datastore, Name: r.JobName, Params: params,
		ClientToken: r.ClientToken, Fingerprint: r.fingerprint(), MaxWaiting: MaxWaiting})
	return rec, fault.Wrap(op, err)
}

// Describe is an import as its job knows it.
func (s *Service) Describe(ctx context.Context, datastore, jobID string) (job.Record, Job, error) {
	rec, err := s.o.Ledger.Describe(ctx, datastore, jobID)
	if err != nil {
		return rec, Job{}, err
	}
	if rec.Kind != Import {
		return rec, Job{}, fault.Errorf(fault.NotFound, "ingest.Describe", "There is no import job %s of data store %s.", jobID, datastore)
	}
	j, err := ParseJob(rec.Params)
	return rec, j, err
}

// Cancel asks for the end of an import. What it has applied stays, and its logs and its manifest say what that is.
func (s *Service) Cancel(ctx context.Context, datastore, jobID string) (job.Record, error) {
	if _, _, err := s.Describe(ctx, datastore, jobID); err != nil {
		return job.Record{}, err
	}
	return s.o.Ledger.Cancel(ctx, datastore, jobID)
}
