package ingest

import (
	"context"
	"encoding/json"
	"errors"

	"tarn/cloud"
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
	return s.check(ctx, j)
}

func (s *Service) check(ctx context.Context, j Job) ([]export.Finding, error) {
	to := s.output(j)
	findings, err := to.Check(ctx, s.o.Cloud)
	if err != nil {
		return nil, err
	}
	role, _ := to.Assume(ctx, s.o.Cloud, "preflight") // why not stands in the findings
	if role == nil {
		return findings, nil
	}
	in := role.Bucket(j.InputBucket)
	_, err = in.Region(ctx)
	if err == nil {
		err = in.MayGet(ctx, j.InputPrefix)
	}
	var refused *cloud.Error
	switch {
	case err == nil:
		return findings, nil
	case !errors.As(err, &refused) || refused.Kind == fault.Unavailable:
		return nil, fault.Wrap("ingest.Preflight", err)
	}
	f := export.Finding{Field: export.FieldInput, Setting: refused.Action, Resource: refused.Resource, Problem: refused.Msg,
		Remedy: "Correct InputDataConfig.S3Uri, or create the bucket."}
	if refused.Kind == fault.Denied {
		f.Field, f.Remedy = export.FieldRole, "Allow "+refused.Action+" on "+refused.Resource+" in the permission policy of the role."
	}
	return append(findings, f), nil
}

func (s *Service) output(j Job) export.Destination {
	return export.Destination{Partition: s.o.Partition, SourceARN: j.DatastoreARN, RoleARN: j.RoleARN, Bucket: j.OutputBucket,
		Prefix: j.OutputPrefix + j.Datastore + "-FHIR_IMPORT-", KMSKeyID: j.KMSKeyID}
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
	findings, err := s.check(ctx, j)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	if len(findings) > 0 {
		return job.Record{}, &export.PreflightError{Job: "import", Findings: findings}
	}
	params, err := json.Marshal(j)
	if err != nil {
		return job.Record{}, fault.Wrap(op, err)
	}
	rec, _, err := s.o.Ledger.Enqueue(ctx, job.New{Kind: Import, Datastore: r.Datastore, Name: r.JobName, Params: params,
		ClientToken: r.ClientToken, Fingerprint: r.fingerprint(), MaxWaiting: MaxWaiting})
	return rec, fault.Wrap(op, err)
}
