package guide_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/test/server"
)

// versionOne is in every resource that was written once.
var versionOne = regexp.MustCompile(`"versionId":"1"`)

// TestGuide_endsAnImportThatKillsInterrupt kills the process over and over in the middle of an import that is large enough
// to be loaded in steps: in the end every line is there in its first version, and what the index finds is what is there.
func TestGuide_endsAnImportThatKillsInterrupt(t *testing.T) {
	t.Parallel()
	s := server.Start(t)
	root := s.As(s.Root(t))
	p := root.Build(t, "killed-import")
	const n, codes = 60_000, 7
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"resourceType":"Observation","id":"o-%d","status":"final","code":{"coding":[{"system":"urn:test","code":"c%d"}]},"subject":{"reference":"Patient/p-%d"},"effectiveDateTime":"2020-01-%02d","valueString":%q}`+"\n",
			i, i%codes, i%100, 1+i%28, strings.Repeat("x", 700))
	}
	root.Put(t, p.Bucket, "in/Observation.ndjson", b.Bytes())

	job := startImport(t, root, p)
	kills := 0
	for kills < 8 {
		for range 40 * kills { // later each time
			importOf(t, root, p, job)
		}
		if importOf(t, root, p, job).EndTime != nil {
			break
		}
		s.Kill(t)
		kills++
		s.Restart(t)
	}
	if kills < 3 {
		t.Errorf("the import was killed %d times only", kills)
	}
	for importOf(t, root, p, job).EndTime == nil {
	}
	if j := importOf(t, root, p, job); j.JobStatus != types.JobStatusCompleted || *j.JobProgressReport.TotalNumberOfResourcesImported != n {
		t.Fatalf("%s after %d kills: %+v", j.JobStatus, kills, j.JobProgressReport)
	}

	seen := map[string]bool{}
	m, files := root.Folder(t, uriOf(root.AwaitExport(t, p, root.StartExport(t, p, ""))))
	for _, f := range m.Output {
		for line := range strings.Lines(string(files[f.Name])) {
			if !versionOne.MatchString(line) {
				t.Fatalf("written more than once: %.200s", line)
			}
			seen[id.FindStringSubmatch(line)[1]] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d are there", len(seen), n)
	}
	for c := range codes {
		want := n / codes
		if c < n%codes {
			want++
		}
		query := "Observation?_summary=count&code=" + url.QueryEscape(fmt.Sprintf("urn:test|c%d", c))
		a, err := server.Signed(t.Context(), root.Keys, "GET", p.Endpoint+query, nil)
		must(t, err)
		var found struct{ Total int }
		if err := json.Unmarshal(a.Body, &found); err != nil || a.Status != 200 || found.Total != want {
			t.Errorf("the index finds %d of %d with code c%d: status %d, %v", found.Total, want, c, a.Status, err)
		}
	}
}

func startImport(t *testing.T, c *server.Clients, p server.Place) string {
	t.Helper()
	input, output := "s3://"+p.Bucket+"/in/", "s3://"+p.Bucket+"/import-logs"
	started, err := c.HealthLake.StartFHIRImportJob(context.Background(), &healthlake.StartFHIRImportJobInput{DatastoreId: &p.Datastore, DataAccessRoleArn: &p.Role,
		InputDataConfig:     &types.InputDataConfigMemberS3Uri{Value: input},
		JobOutputDataConfig: &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: &output, KmsKeyId: &p.Key}}})
	must(t, err)
	return *started.JobId
}

func importOf(t *testing.T, c *server.Clients, p server.Place, job string) *types.ImportJobProperties {
	t.Helper()
	out, err := c.HealthLake.DescribeFHIRImportJob(context.Background(), &healthlake.DescribeFHIRImportJobInput{DatastoreId: &p.Datastore, JobId: &job})
	must(t, err)
	return out.ImportJobProperties
}
