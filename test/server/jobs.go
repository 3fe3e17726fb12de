package server

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"
)

// Import brings everything below a prefix of the place's bucket into its data store and waits with the SDK's waiter.
// Anything but COMPLETED fails the test.
func (c *Clients) Import(t testing.TB, p Place, prefix string) *types.ImportJobProperties {
	t.Helper()
	ctx := context.Background()
	input := "s3://" + p.Bucket + "/" + prefix
	output := "s3://" + p.Bucket + "/import-logs"
	started, err := c.HealthLake.StartFHIRImportJob(ctx, &healthlake.StartFHIRImportJobInput{DatastoreId: &p.Datastore, DataAccessRoleArn: &p.Role,
		InputDataConfig:     &types.InputDataConfigMemberS3Uri{Value: input},
		JobOutputDataConfig: &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: &output, KmsKeyId: &p.Key}}})
	must(t, err)
	in := &healthlake.DescribeFHIRImportJobInput{DatastoreId: &p.Datastore, JobId: started.JobId}
	out, err := healthlake.NewFHIRImportJobCompletedWaiter(c.HealthLake).WaitForOutput(ctx, in, patience, func(o *healthlake.FHIRImportJobCompletedWaiterOptions) {
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, 200*time.Millisecond
	})
	must(t, err)
	j := out.ImportJobProperties
	if j.JobStatus != types.JobStatusCompleted {
		message := ""
		if j.Message != nil {
			message = *j.Message
		}
		t.Fatalf("the import is %s: %s", j.JobStatus, message)
	}
	return j
}

// Export is the input that exports a place's data store into its bucket.
func (p Place) Export(name string) *healthlake.StartFHIRExportJobInput {
	uri := "s3://" + p.Bucket + "/out"
	in := &healthlake.StartFHIRExportJobInput{DatastoreId: &p.Datastore, DataAccessRoleArn: &p.Role,
		OutputDataConfig: &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: &uri, KmsKeyId: &p.Key}}}
	if name != "" {
		in.JobName = &name
	}
	return in
}

// StartExport starts an export and gives its id.
func (c *Clients) StartExport(t testing.TB, p Place, name string) string {
	t.Helper()
	out, err := c.HealthLake.StartFHIRExportJob(context.Background(), p.Export(name))
	must(t, err)
	return *out.JobId
}

// AwaitExport waits with the SDK's waiter until an export is COMPLETED; any other end fails the test.
func (c *Clients) AwaitExport(t testing.TB, p Place, job string) *types.ExportJobProperties {
	t.Helper()
	in := &healthlake.DescribeFHIRExportJobInput{DatastoreId: &p.Datastore, JobId: &job}
	out, err := healthlake.NewFHIRExportJobCompletedWaiter(c.HealthLake).WaitForOutput(context.Background(), in, patience, func(o *healthlake.FHIRExportJobCompletedWaiterOptions) {
		o.MinDelay, o.MaxDelay = 20*time.Millisecond, 100*time.Millisecond
	})
	must(t, err)
	if j := out.ExportJobProperties; j.JobStatus != types.JobStatusCompleted {
		t.Fatalf("the export is %s", j.JobStatus)
	}
	return out.ExportJobProperties
}

// DescribeExport is a job's properties now.
func (c *Clients) DescribeExport(t testing.TB, p Place, job string) *types.ExportJobProperties {
	t.Helper()
	out, err := c.HealthLake.DescribeFHIRExportJob(context.Background(), &healthlake.DescribeFHIRExportJobInput{DatastoreId: &p.Datastore, JobId: &job})
	must(t, err)
	return out.ExportJobProperties
}
