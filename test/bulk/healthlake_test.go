package bulk_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tarn/test/server"
)

func TestHealthLake_exportsToTheCallersBucketByREST(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	body := fmt.Sprintf(`{"DataAccessRoleArn":%q,"JobName":"rest","OutputDataConfig":{"S3Configuration":{"S3Uri":"s3://%s/out","KmsKeyId":%q}}}`, s.place.Role, s.place.Bucket, s.place.Key)
	location := s.kick("POST", "Patient/$export?_type=Patient,Observation", body)
	m := s.await(location)
	if m.ExportJobProperties.JobStatus != "COMPLETED" || len(m.Output) != 2 || m.RequiresAccessToken == nil || *m.RequiresAccessToken {
		t.Fatalf("%+v", m)
	}
	for _, f := range m.Output {
		bucket, key := server.SplitURI(t, f.URL)
		got, _ := s.clients.Get(t, bucket, key)
		if n := bytes.Count(got, []byte("\n")); n != f.Count || n != 3 {
			t.Errorf("%s has %d lines", f.URL, n)
		}
	}
	a := s.send("DELETE", location, nil, "")
	if a.status < 400 || a.status > 499 || !strings.Contains(string(a.body), "not-supported") {
		t.Errorf("DELETE of one that is done: %d %s", a.status, a.body)
	}
	if a := s.send("GET", location, nil, ""); a.status != http.StatusOK {
		t.Errorf("GET afterwards: %d", a.status)
	}
	s.refused("POST", "$export", `{"DataAccessRoleArn":"arn:aws:iam::000000000000:role/none","OutputDataConfig":{"S3Configuration":{"S3Uri":"s3://none-such","KmsKeyId":"alias/none"}}}`, 400, "role/none")
	s.refused("POST", "$export", `{"JobName":"x"}`, 400, "DataAccessRoleArn")
	for _, wrong := range []string{`"JobName":"a<b"`, `"JobName":"` + strings.Repeat("é", 65) + `"`, `"ClientToken":"a b"`} {
		s.refused("POST", "$export", strings.Replace(body, `"JobName":"rest"`, wrong, 1), 400, "64")
	}
	s.await(s.kick("POST", "$export?_type=Slot", strings.Replace(body, `"JobName":"rest"`, `"JobName":"`+strings.Repeat("é", 64)+`","ClientToken":"a-1"`, 1)))
	s.refused("POST", "$export", `{"resourceType":"Patient"}`, 400, "Parameters")
	s.refused("POST", "$export", `nonsense`, 400, "body")
}
