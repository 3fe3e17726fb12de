package guide_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/test/server"
)

// TestGuide_runsOneExportAtATime fills the queue: one runs and 25 wait, the next is refused; they end in the order of
// their start, and at no moment do two run.
func TestGuide_runsOneExportAtATime(t *testing.T) {
	t.Parallel()
	s := server.Start(t, "--export-workers", "1")
	root, ctx := s.As(s.Root(t)), t.Context()
	p := root.Build(t, "queue")
	populate(t, root, p, "10")
	var jobs []string
	for refusedAt := 0; ; {
		before := states(t, root, p)
		out, err := root.HealthLake.StartFHIRExportJob(ctx, p.Export(fmt.Sprintf("job-%d", len(jobs))))
		if err == nil {
			jobs = append(jobs, *out.JobId)
			if len(jobs) > 1000 {
				t.Fatal("1,000 exports have been started and none was refused")
			}
			continue
		}
		refused[*types.ThrottlingException](t, err)
		after := states(t, root, p)
		if refusedAt++; !slices.Equal(before, after) && refusedAt < 100 {
			continue // one ended meanwhile: what the refused call saw is not known
		}
		waiting := count(after, types.JobStatusSubmitted) + count(after, types.JobStatusQueued)
		if running := count(after, types.JobStatusInProgress); waiting != 25 || running != 1 {
			t.Errorf("an export was refused while %d waited and %d ran", waiting, running)
		}
		break
	}
	for {
		all := states(t, root, p)
		if n := count(all, types.JobStatusInProgress); n > 1 {
			t.Errorf("%d exports run at once: %v", n, all)
		}
		if count(all, types.JobStatusCompleted) == len(jobs) {
			break
		}
		if count(all, types.JobStatusFailed) > 0 {
			t.Fatalf("an export failed: %v", all)
		}
	}
	t.Logf("%d exports", len(jobs))
	// Each wrote its first file when the one before it had ended.
	last := root.DescribeExport(t, p, jobs[0])
	for _, id := range jobs[1:] {
		j := root.DescribeExport(t, p, id)
		if !j.EndTime.After(*last.EndTime) || j.SubmitTime.Before(*last.SubmitTime) {
			t.Errorf("%s, started behind %s, ended before it", *j.JobName, *last.JobName)
		}
		bucket, prefix := server.SplitURI(t, uriOf(j))
		for _, o := range root.Objects(t, bucket, prefix) {
			if o.LastModified.Before(last.EndTime.Truncate(1e9)) {
				t.Errorf("%s wrote %s at %v, but %s ended at %v", *j.JobName, *o.Key, o.LastModified, *last.JobName, last.EndTime)
			}
		}
		last = j
	}
}

// states are the statuses of all exports, newest first.
func states(t *testing.T, c *server.Clients, p server.Place) (all []types.JobStatus) {
	t.Helper()
	out := got(c.HealthLake.ListFHIRExportJobs(t.Context(), &healthlake.ListFHIRExportJobsInput{DatastoreId: &p.Datastore, MaxResults: aws.Int32(500)}))(t)
	for _, j := range out.ExportJobPropertiesList {
		all = append(all, j.JobStatus)
	}
	return all
}

func count(all []types.JobStatus, s types.JobStatus) (n int) {
	for _, one := range all {
		if one == s {
			n++
		}
	}
	return n
}

func uriOf(j *types.ExportJobProperties) string {
	return *j.OutputDataConfig.(*types.OutputDataConfigMemberS3Configuration).Value.S3Uri
}
