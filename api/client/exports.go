package client

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"tarn/fault"
)

// Finding is one thing that stands in the way of an export: what was looked at, what is wrong with it, how to mend it.
type Finding struct {
	Field    string `json:"field"`    // of the request that it concerns: role, bucket, key
	Setting  string `json:"setting"`  // the permission (s3:PutObject) or setting (BlockPublicAcls) concerned
	Resource string `json:"resource"` // ARN
	Problem  string `json:"problem"`  // a sentence
	Remedy   string `json:"remedy"`   // a sentence
	Denied   bool   `json:"denied"`   // the role may not do Setting
}

// Preflight asks what would keep an export from starting: all of it at once, nothing if it would start.
func (c *Client) Preflight(ctx context.Context, in ExportRequest) ([]Finding, error) {
	body, err := json.Marshal(in)
	if err != nil {
		return nil, fault.Wrap("client", err)
	}
	resp, err := c.do(ctx, call{service: "healthlake", method: http.MethodPost, path: "/datastore/" + in.DatastoreId + "/r4/export/preflight",
		size: int64(len(body)), body: bytes.NewReader(body), header: http.Header{"Content-Type": {"application/json"}}})
	if err != nil {
		return nil, err
	}
	var out struct{ Findings []Finding }
	err = decode(resp, &out, json.Unmarshal)
	return out.Findings, err
}

// ExportProgress is how far an export has come, and where its files lie.
type ExportProgress struct {
	JobID           string `json:"jobId"`
	JobName         string `json:"jobName,omitempty"`
	JobStatus       string `json:"jobStatus"`
	Message         string `json:"message,omitempty"`
	DatastoreID     string `json:"datastoreId"`
	TxID            uint64 `json:"txId"`
	TransactionTime string `json:"transactionTime"`
	Folder          string `json:"folder"` // s3://bucket/prefix/
	Progress        struct {
		PartsDone      int64 `json:"partsDone"`
		PartsTotal     int64 `json:"partsTotal"`
		Resources      int64 `json:"resources"`
		ResourcesTotal int64 `json:"resourcesTotal"`
		Bytes          int64 `json:"bytes"`
		Files          int64 `json:"files"`
	} `json:"progress"`
	Pace *ExportPace `json:"pace"` // nil unless it runs and has made progress
}

// OwnBucket stands in the folder of an export whose files the service keeps for its callers: nobody reaches it by S3, and
// the manifest, at export/{job} below the data store, names where each file is fetched.
const OwnBucket = "tarn-own-bucket"

// CancelExport asks for the end of an export and gives its state.
func (c *Client) CancelExport(ctx context.Context, datastore, job string) (status string, err error) {
	return c.cancel(ctx, datastore, "export/"+job)
}

// CancelImport asks for the end of an import and gives its state.
func (c *Client) CancelImport(ctx context.Context, datastore, job string) (status string, err error) {
	return c.cancel(ctx, datastore, "import/"+job)
}

func (c *Client) cancel(ctx context.Context, datastore, path string) (status string, err error) {
	resp, err := c.FHIR(ctx, http.MethodDelete, datastore, path, nil)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	type properties struct{ JobStatus string }
	var body struct{ ExportJobProperties, ImportJobProperties properties }
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return "", fault.Errorf(fault.Unavailable, "client", "The answer broke off: %v.", err)
	}
	return body.ExportJobProperties.JobStatus + body.ImportJobProperties.JobStatus, nil
}

// ExportPace is how fast a running export goes, and about how long it still takes.
type ExportPace struct {
	Resources   int64 `json:"resourcesPerSecond"`
	Bytes       int64 `json:"bytesPerSecond"`
	SecondsLeft int64 `json:"secondsLeft"`
}

// Left is about how long the export still takes.
func (p ExportPace) Left() time.Duration { return time.Duration(p.SecondsLeft) * time.Second }

// ExportProgress asks how far an export has come.
func (c *Client) ExportProgress(ctx context.Context, datastore, job string) (p ExportProgress, err error) {
	resp, err := c.FHIR(ctx, http.MethodGet, datastore, "export/"+job+"/progress", nil)
	if err != nil {
		return p, err
	}
	err = decode(resp, &p, json.Unmarshal)
	return p, err
}
