package control_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/export"
	"tarn/fault"
	"tarn/job"
)

func startInput(id string) *healthlake.StartFHIRExportJobInput {
	return &healthlake.StartFHIRExportJobInput{DatastoreId: aws.String(id), DataAccessRoleArn: aws.String(roleARN), ClientToken: aws.String("token"),
		JobName: aws.String("nightly"), OutputDataConfig: &types.OutputDataConfigMemberS3Configuration{
			Value: types.S3Configuration{S3Uri: aws.String("s3://out/health"), KmsKeyId: aws.String(keyARN)}}}
}

func TestExportJobs_areStartedDescribedAndListed(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, ctx := h.root(), t.Context()
	d, other := h.datastore(nil), h.datastore(nil)
	started, err := c.StartFHIRExportJob(ctx, startInput(d.ID))
	must(t, err)
	if started.JobStatus != types.JobStatusSubmitted || *started.DatastoreId != d.ID || len(*started.JobId) != 32 {
		t.Errorf("%+v", started)
	}
	if want := (export.Request{Datastore: d.ID, DatastoreARN: d.ARN, JobName: "nightly", ClientToken: "token", RoleARN: roleARN, S3Uri: "s3://out/health",
		KMSKeyID: keyARN, Caller: "arn:aws:iam::000000000000:root"}); !reflect.DeepEqual(h.exports[0], want) {
		t.Errorf("asked for %+v, want %+v", h.exports[0], want)
	}
	imported, err := c.StartFHIRImportJob(ctx, &healthlake.StartFHIRImportJobInput{DatastoreId: &d.ID, DataAccessRoleArn: aws.String(roleARN), ValidationLevel: types.ValidationLevelMinimal,
		InputDataConfig:     &types.InputDataConfigMemberS3Uri{Value: "s3://input/x/"},
		JobOutputDataConfig: &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: aws.String("s3://out"), KmsKeyId: aws.String(keyARN)}}})
	must(t, err)

	described, err := c.DescribeFHIRExportJob(ctx, &healthlake.DescribeFHIRExportJobInput{DatastoreId: &d.ID, JobId: started.JobId})
	must(t, err)
	p := described.ExportJobProperties
	to := p.OutputDataConfig.(*types.OutputDataConfigMemberS3Configuration).Value
	if *to.S3Uri != "s3://out/health/"+d.ID+"-FHIR_EXPORT-"+*started.JobId+"/" || *to.KmsKeyId != keyARN || *p.JobName != "nightly" || p.EndTime != nil || p.Message != nil ||
		*p.DataAccessRoleArn != roleARN || p.SubmitTime.IsZero() {
		t.Errorf("%+v %+v", p, to)
	}
	_, answer := h.post("DescribeFHIRImportJob", fmt.Sprintf(`{"DatastoreId":%q,"JobId":%q}`, d.ID, *imported.JobId))
	ip := answer["ImportJobProperties"].(map[string]any)
	if report := ip["JobProgressReport"].(map[string]any); len(report) != 8 || report["Throughput"] != 0.0 {
		t.Errorf("report %v", report)
	}
	if ip["ValidationLevel"] != "minimal" || ip["InputDataConfig"].(map[string]any)["S3Uri"] != "s3://input/x/" ||
		ip["JobOutputDataConfig"].(map[string]any)["S3Configuration"].(map[string]any)["S3Uri"] != "s3://out/"+d.ID+"-FHIR_IMPORT-"+*imported.JobId+"/" {
		t.Errorf("%v", ip)
	}

	_, err = c.DescribeFHIRExportJob(ctx, &healthlake.DescribeFHIRExportJobInput{DatastoreId: &d.ID, JobId: imported.JobId})
	wantError[*types.ResourceNotFoundException](t, err, "no export job")
	_, err = c.DescribeFHIRImportJob(ctx, &healthlake.DescribeFHIRImportJobInput{DatastoreId: &d.ID, JobId: started.JobId})
	wantError[*types.ResourceNotFoundException](t, err, "no import job")
	_, err = c.DescribeFHIRExportJob(ctx, &healthlake.DescribeFHIRExportJobInput{DatastoreId: &other.ID, JobId: started.JobId})
	wantError[*types.ResourceNotFoundException](t, err, *started.JobId)

	// A list shows the jobs of its kind and data store, newest first.
	ids := []string{*started.JobId}
	for i := range 4 {
		in := startInput(d.ID)
		in.ClientToken, in.JobName = nil, aws.String(fmt.Sprint("j", i%2))
		s, err := c.StartFHIRExportJob(ctx, in)
		must(t, err)
		ids = append(ids, *s.JobId)
	}
	_, err = h.ledger.Cancel(ctx, d.ID, ids[2])
	must(t, err)
	first, err := h.ledger.Describe(ctx, d.ID, ids[0])
	must(t, err)
	for name, l := range map[string]struct {
		in   healthlake.ListFHIRExportJobsInput
		want []int
	}{
		"all":    {healthlake.ListFHIRExportJobsInput{}, []int{4, 3, 2, 1, 0}},
		"name":   {healthlake.ListFHIRExportJobsInput{JobName: aws.String("j0")}, []int{3, 1}},
		"status": {healthlake.ListFHIRExportJobsInput{JobStatus: types.JobStatusCancelSubmitted}, []int{2}},
		"before": {healthlake.ListFHIRExportJobsInput{SubmittedBefore: &first.SubmitTime}, nil},
		"after":  {healthlake.ListFHIRExportJobsInput{SubmittedAfter: aws.Time(first.SubmitTime.Add(-time.Millisecond))}, []int{4, 3, 2, 1, 0}},
	} {
		for _, max := range []int32{1, 3, 500} {
			l.in.DatastoreId, l.in.MaxResults, l.in.NextToken = &d.ID, aws.Int32(max), nil
			var got []int
			pages := healthlake.NewListFHIRExportJobsPaginator(c, &l.in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				must(t, err)
				for _, p := range page.ExportJobPropertiesList {
					got = append(got, slices.Index(ids, *p.JobId))
				}
			}
			if !slices.Equal(got, l.want) {
				t.Errorf("%s by %d: got %v, want %v", name, max, got, l.want)
			}
		}
	}
	list, err := c.ListFHIRImportJobs(ctx, &healthlake.ListFHIRImportJobsInput{DatastoreId: &d.ID})
	must(t, err)
	if len(list.ImportJobPropertiesList) != 1 || list.NextToken != nil {
		t.Errorf("%+v", list)
	}

	// A token of one list opens no other.
	page, err := c.ListFHIRExportJobs(ctx, &healthlake.ListFHIRExportJobsInput{DatastoreId: &d.ID, MaxResults: aws.Int32(1)})
	must(t, err)
	for name, in := range map[string]*healthlake.ListFHIRExportJobsInput{
		"other data store": {DatastoreId: &other.ID, NextToken: page.NextToken},
		"other filter":     {DatastoreId: &d.ID, JobName: aws.String("j0"), NextToken: page.NextToken},
		"tampered":         {DatastoreId: &d.ID, NextToken: aws.String("B" + (*page.NextToken)[1:])},
		"cut":              {DatastoreId: &d.ID, NextToken: aws.String((*page.NextToken)[1:])},
	} {
		_, err := c.ListFHIRExportJobs(ctx, in)
		if err == nil {
			t.Errorf("%s: the token was taken", name)
			continue
		}
		wantError[*types.ValidationException](t, err, "NextToken")
	}
	_, err = c.ListFHIRImportJobs(ctx, &healthlake.ListFHIRImportJobsInput{DatastoreId: &d.ID, NextToken: page.NextToken})
	wantError[*types.ValidationException](t, err, "NextToken")
}

func TestStartFHIRExportJob_tellsWhatTheServiceSays(t *testing.T) {
	t.Parallel()
	h := open(t)
	d := h.datastore(nil)
	start := func(refuse error) error {
		h.mu.Lock()
		h.refuse = refuse
		h.mu.Unlock()
		_, err := h.root().StartFHIRExportJob(t.Context(), startInput(d.ID))
		return err
	}
	bucket := export.Finding{Field: export.FieldBucket, Setting: "BlockPublicAcls", Resource: "arn:aws:s3:::out", Problem: "It is off.", Remedy: "Turn it on."}
	role := export.Finding{Field: export.FieldRole, Setting: "s3:PutObject", Resource: "arn:aws:s3:::out/*", Problem: "It is not allowed.", Remedy: "Allow it."}
	err := start(&export.PreflightError{Findings: []export.Finding{bucket}})
	wantError[*types.ValidationException](t, err, "BlockPublicAcls on arn:aws:s3:::out: It is off. Turn it on.")
	err = start(&export.PreflightError{Findings: []export.Finding{bucket, role}})
	wantError[*types.AccessDeniedException](t, err, "BlockPublicAcls on arn:aws:s3:::out")
	wantError[*types.AccessDeniedException](t, err, "s3:PutObject on arn:aws:s3:::out/*: It is not allowed. Allow it.")
	wantError[*types.ThrottlingException](t, start(fault.Errorf(fault.Throttled, "", "The queue is full.")), "The queue is full.")
	wantError[*types.InternalServerException](t, start(errors.New("secret")), "internal error")
	if err := start(errors.New("secret")); strings.Contains(err.Error(), "secret") {
		t.Errorf("told: %v", err)
	}
	wantError[interface{ ErrorCode() string }](t, start(fault.Errorf(fault.Unavailable, "", "S3 does not answer.")), "ServiceUnavailable")
}

func TestDescribeFHIRExportJob_tellsTheMessageOfAFailure(t *testing.T) {
	t.Parallel()
	h := open(t)
	d := h.datastore(nil)
	started, err := h.root().StartFHIRExportJob(t.Context(), startInput(d.ID))
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = job.NewRunner(h.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{export.Kind: failing{cancel}}}).Run(ctx)
	}()
	<-ended
	described, err := h.root().DescribeFHIRExportJob(t.Context(), &healthlake.DescribeFHIRExportJobInput{DatastoreId: &d.ID, JobId: started.JobId})
	must(t, err)
	p := described.ExportJobProperties
	if p.JobStatus != types.JobStatusFailed || p.EndTime == nil || p.Message == nil || *p.Message != "s3:PutObject on arn:aws:s3:::b/ denied no. Allow it." {
		t.Errorf("%s %v %v", p.JobStatus, p.EndTime, aws.ToString(p.Message))
	}
}

type failing struct{ stop func() }

func (f failing) Run(context.Context, *job.Run) error {
	defer f.stop()
	return fault.WithHint(fault.Errorf(fault.Denied, "", `s3:PutObject on "arn:aws:s3:::b/*" denied, no.`), "Allow it.")
}
