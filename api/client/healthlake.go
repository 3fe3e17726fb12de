package client

import (
	"context"
	"math"
	"time"
)

// Epoch is a time as AWS-JSON carries it: seconds with a fraction since 1970.
type Epoch float64

// Time is the time to the millisecond, zero for 0.
func (e Epoch) Time() time.Time {
	if e == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(math.Round(float64(e) * 1000))).UTC()
}

// Datastore is HealthLake's DatastoreProperties, as far as they are of use here.
type Datastore struct {
	DatastoreId, DatastoreArn, DatastoreName, DatastoreStatus, DatastoreTypeVersion, DatastoreEndpoint string
	CreatedAt                                                                                          Epoch
	SseConfiguration                                                                                   *struct {
		KmsEncryptionConfig struct{ CmkType, KmsKeyId string }
	} `json:",omitempty"`
	PreloadDataConfig *struct{ PreloadDataType string }             `json:",omitempty"`
	ErrorCause        *struct{ ErrorMessage, ErrorCategory string } `json:",omitempty"`
}

// S3Configuration is where a job writes and under which key.
type S3Configuration struct{ S3Uri, KmsKeyId string }

// OutputDataConfig is a union of one member.
type OutputDataConfig struct{ S3Configuration S3Configuration }

// ExportJob is HealthLake's ExportJobProperties.
type ExportJob struct {
	JobId, JobName, JobStatus, DatastoreId, DataAccessRoleArn, Message string
	SubmitTime, EndTime                                                Epoch
	OutputDataConfig                                                   OutputDataConfig
}

// ImportJob is HealthLake's ImportJobProperties.
type ImportJob struct {
	JobId, JobName, JobStatus, DatastoreId, DataAccessRoleArn, Message, ValidationLevel string
	SubmitTime, EndTime                                                                 Epoch
	InputDataConfig                                                                     struct{ S3Uri string }
	JobOutputDataConfig                                                                 OutputDataConfig
	JobProgressReport                                                                   ProgressReport
}

// ProgressReport is HealthLake's JobProgressReport.
type ProgressReport struct {
	TotalNumberOfScannedFiles, TotalNumberOfImportedFiles, TotalNumberOfFilesReadWithCustomerError         int64
	TotalNumberOfResourcesScanned, TotalNumberOfResourcesImported, TotalNumberOfResourcesWithCustomerError int64
	TotalSizeOfScannedFilesInMB, Throughput                                                                float64
}

// Done reports whether a JobStatus is final, and OK whether it is a success.
func Done(status string) (done, ok bool) {
	switch status {
	case "COMPLETED", "COMPLETED_WITH_ERRORS":
		return true, true
	case "FAILED", "CANCEL_COMPLETED", "CANCEL_FAILED":
		return true, false
	}
	return false, false
}

// HealthLake calls an operation of the control API: in and out are any values whose JSON has HealthLake's members.
func (c *Client) HealthLake(ctx context.Context, operation string, in, out any) error {
	return c.targeted(ctx, "healthlake", "application/x-amz-json-1.0", "HealthLake."+operation, in, out)
}

// CreateDatastore makes a data store; preload asks for the sample population.
func (c *Client) CreateDatastore(ctx context.Context, name string, preload bool) (d Datastore, err error) {
	in := map[string]any{"DatastoreTypeVersion": "R4", "DatastoreName": name}
	if preload {
		in["PreloadDataConfig"] = map[string]string{"PreloadDataType": "SYNTHEA"}
	}
	err = c.HealthLake(ctx, "CreateFHIRDatastore", in, &d)
	return d, err
}

// DescribeDatastore is one data store.
func (c *Client) DescribeDatastore(ctx context.Context, id string) (Datastore, error) {
	var out struct{ DatastoreProperties Datastore }
	err := c.HealthLake(ctx, "DescribeFHIRDatastore", map[string]string{"DatastoreId": id}, &out)
	return out.DatastoreProperties, err
}

// ListDatastores is all data stores, of every status.
func (c *Client) ListDatastores(ctx context.Context) (all []Datastore, err error) {
	token := ""
	for {
		in := map[string]any{}
		if token != "" {
			in["NextToken"] = token
		}
		var out struct {
			DatastorePropertiesList []Datastore
			NextToken               string
		}
		if err := c.HealthLake(ctx, "ListFHIRDatastores", in, &out); err != nil {
			return nil, err
		}
		all = append(all, out.DatastorePropertiesList...)
		if token = out.NextToken; token == "" {
			return all, nil
		}
	}
}

// ExportRequest is what StartFHIRExportJob takes.
type ExportRequest struct {
	DatastoreId, DataAccessRoleArn string
	OutputDataConfig               OutputDataConfig
	JobName, ClientToken           string `json:",omitempty"`
}

// StartExport queues an export and gives its JobId.
func (c *Client) StartExport(ctx context.Context, in ExportRequest) (jobID string, err error) {
	var out struct{ JobId string }
	err = c.HealthLake(ctx, "StartFHIRExportJob", in, &out)
	return out.JobId, err
}

// DescribeExport is one export job.
func (c *Client) DescribeExport(ctx context.Context, datastore, job string) (ExportJob, error) {
	var out struct{ ExportJobProperties ExportJob }
	err := c.HealthLake(ctx, "DescribeFHIRExportJob", map[string]string{"DatastoreId": datastore, "JobId": job}, &out)
	return out.ExportJobProperties, err
}

// ListExports is the newest export jobs of a data store, at most limit.
func (c *Client) ListExports(ctx context.Context, datastore string, limit int) ([]ExportJob, error) {
	var out struct{ ExportJobPropertiesList []ExportJob }
	err := c.HealthLake(ctx, "ListFHIRExportJobs", map[string]any{"DatastoreId": datastore, "MaxResults": limit}, &out)
	return out.ExportJobPropertiesList, err
}

// ImportRequest is what StartFHIRImportJob takes.
type ImportRequest struct {
	DatastoreId, DataAccessRoleArn string
	InputDataConfig                struct{ S3Uri string }
	JobOutputDataConfig            OutputDataConfig
	JobName, ClientToken           string `json:",omitempty"`
	ValidationLevel                string `json:",omitempty"`
}

// StartImport queues an import and gives its JobId.
func (c *Client) StartImport(ctx context.Context, in ImportRequest) (jobID string, err error) {
	var out struct{ JobId string }
	err = c.HealthLake(ctx, "StartFHIRImportJob", in, &out)
	return out.JobId, err
}

// DescribeImport is one import job.
func (c *Client) DescribeImport(ctx context.Context, datastore, job string) (ImportJob, error) {
	var out struct{ ImportJobProperties ImportJob }
	err := c.HealthLake(ctx, "DescribeFHIRImportJob", map[string]string{"DatastoreId": datastore, "JobId": job}, &out)
	return out.ImportJobProperties, err
}

// ListImports is the newest import jobs of a data store, at most limit.
func (c *Client) ListImports(ctx context.Context, datastore string, limit int) ([]ImportJob, error) {
	var out struct{ ImportJobPropertiesList []ImportJob }
	err := c.HealthLake(ctx, "ListFHIRImportJobs", map[string]any{"DatastoreId": datastore, "MaxResults": limit}, &out)
	return out.ImportJobPropertiesList, err
}
