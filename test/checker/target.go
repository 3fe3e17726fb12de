package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

var errUsage = errors.New("usage")

// target is the server, and what to use of it.
type target struct {
	endpoint, datastore, bucket, role, key string

	region string
	keys   aws.Credentials
	http   *http.Client
	signer *v4.Signer
}

// fromEnvironment takes credentials and Region where AWS clients take them.
func (t *target) fromEnvironment() {
	t.keys = aws.Credentials{AccessKeyID: os.Getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), SessionToken: os.Getenv("AWS_SESSION_TOKEN")}
	if t.region = os.Getenv("AWS_REGION"); t.region == "" {
		t.region = "us-east-1"
	}
	t.http = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
	t.signer = v4.NewSigner()
}

// s3 is a plain S3 client.
func (t *target) s3() *s3.Client {
	return s3.New(s3.Options{Region: t.region, BaseEndpoint: &t.endpoint, UsePathStyle: true, Credentials: credentials.StaticCredentialsProvider{Value: t.keys}})
}

// send sends one signed request and reads the answer whole.
func (t *target) send(ctx context.Context, method, path string, header map[string]string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, t.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	sum := sha256.Sum256(body)
	if err := t.signer.SignHTTP(ctx, t.keys, req, hex.EncodeToString(sum[:]), "healthlake", t.region, time.Now()); err != nil {
		return 0, nil, err
	}
	resp, err := t.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

var fhirJSON = map[string]string{"Content-Type": "application/fhir+json"}

// fhir sends one FHIR request.
func (t *target) fhir(ctx context.Context, method, path string, body []byte) (int, []byte, error) {
	return t.send(ctx, method, "/datastore/"+t.datastore+"/r4/"+path, fhirJSON, body)
}

// call calls an action of HealthLake.
func (t *target) call(ctx context.Context, action string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	status, answer, err := t.send(ctx, http.MethodPost, "/", map[string]string{"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "HealthLake." + action}, body)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, answer)
	}
	if err == nil {
		err = json.Unmarshal(answer, out)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// job is what the checker looks at of a job's properties.
type job struct {
	JobStatus, Message  string
	SubmitTime, EndTime float64
	OutputDataConfig    struct{ S3Configuration struct{ S3Uri string } }
	JobProgressReport   struct {
		TotalNumberOfResourcesImported          int
		TotalNumberOfResourcesWithCustomerError int
	}
}

// await describes a job, of kind Export or Import, until it has ended; it must end COMPLETED.
func (t *target) await(ctx context.Context, kind, id string) (job, error) {
	for {
		var out struct{ ExportJobProperties, ImportJobProperties *job }
		if err := t.call(ctx, "DescribeFHIR"+kind+"Job", map[string]string{"DatastoreId": t.datastore, "JobId": id}, &out); err != nil {
			return job{}, err
		}
		j := out.ExportJobProperties
		if kind == "Import" {
			j = out.ImportJobProperties
		}
		switch {
		case j == nil:
			return job{}, fmt.Errorf("the description of %s job %s is empty", kind, id)
		case j.JobStatus == "COMPLETED":
			return *j, nil
		case j.JobStatus != "SUBMITTED" && j.JobStatus != "QUEUED" && j.JobStatus != "IN_PROGRESS":
			return job{}, fmt.Errorf("%s job %s is %s: %s", kind, id, j.JobStatus, j.Message)
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return job{}, ctx.Err()
		}
	}
}

// output is the OutputDataConfig of a job.
func (t *target) output(prefix string) map[string]any {
	return map[string]any{"S3Configuration": map[string]string{"S3Uri": "s3://" + t.bucket + "/" + prefix, "KmsKeyId": t.key}}
}

// split parts s3://bucket/prefix.
func split(uri string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(uri, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return "", "", fmt.Errorf("%q is not of the form s3://bucket/prefix/", uri)
	}
	if prefix != "" && !strings.HasSuffix(prefix, "/") {
		prefix += "/"
	}
	return bucket, prefix, nil
}
