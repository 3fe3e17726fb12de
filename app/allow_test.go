package app_test

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tarn/access/sigv4"
	"tarn/app"
)

// TestFaces_nameTheMethodsThatAreAllowed asks each face with methods that its addresses do not take: a 405 names those
// that they do (RFC 9110 section 15.5.6), and an address that is none is a 404.
func TestFaces_nameTheMethodsThatAreAllowed(t *testing.T) {
	t.Parallel()
	a, c, _ := serve(t, app.Config{DataDir: t.TempDir()})
	d, err := c.CreateDatastore(t.Context(), "ward", false)
	must(t, err)
	must(t, c.CreateBucket(t.Context(), "bucket"))
	base := strings.TrimPrefix(strings.TrimSuffix(d.DatastoreEndpoint, "/"), a.URL())
	job := "/export/" + strings.Repeat("0", 32)
	for _, at := range []struct{ service, method, path, allow string }{
		{"healthlake", "DELETE", base, "POST, GET, HEAD"},
		{"healthlake", "POST", base + "/metadata", "GET, HEAD"},
		{"healthlake", "OPTIONS", base + "/Patient", "GET, HEAD, POST, PUT, PATCH, DELETE"},
		{"healthlake", "POST", base + "/Patient/p", "GET, HEAD, PUT, PATCH, DELETE"},
		{"healthlake", "GET", base + "/Patient/_search", "POST"},
		{"healthlake", "HEAD", base + "/Patient/_search", "POST"},
		{"healthlake", "PUT", base + "/Patient/p/_history", "GET, HEAD"},
		{"healthlake", "PUT", base + "/Patient/p/_history/1", "GET, HEAD"},
		{"healthlake", "DELETE", base + "/_history", "GET, HEAD"},
		{"healthlake", "DELETE", base + "/Patient/p/$everything", "GET, HEAD, POST"},
		{"healthlake", "GET", base + "/Patient/p/$erase", "POST"},
		{"healthlake", "GET", base + "/Patient/$validate", "POST"},
		{"healthlake", "DELETE", base + "/profiles", "POST, GET, HEAD"},
		{"healthlake", "GET", base + "/profiles/us-core", "DELETE"},
		{"healthlake", "DELETE", base + "/Transaction/t", "GET, HEAD"},
		{"healthlake", "PUT", base + "/Erasure/e", "GET, HEAD"},
		{"healthlake", "DELETE", base + "/$export", "GET, POST"},
		{"healthlake", "HEAD", base + "/Group/g/$export", "GET, POST"},
		{"healthlake", "PUT", base + job, "GET, HEAD, DELETE"},
		{"healthlake", "POST", base + job + "/files/a/b", "GET, HEAD"},
		{"healthlake", "POST", base + job + "/progress", "GET, HEAD"},
		{"healthlake", "HEAD", base + job + "/digests", "GET"},
		{"healthlake", "GET", base + "/export/preflight", "POST"},
		{"healthlake", "DELETE", base + "/export/preflight", "POST"},
		{"healthlake", "PUT", base + "/import/x", "GET, HEAD, DELETE"},
		{"healthlake", "DELETE", base + "/Pazient/p", ""},
		{"healthlake", "POST", base + "/Pazient/p", ""},
		{"healthlake", "PATCH", base + "/nothing", ""},
		{"healthlake", "DELETE", base + "/export", ""},
		{"iam", "PUT", "/", "GET, POST"},
		{"sts", "DELETE", "/", "GET, POST"},
		{"s3", "DELETE", "/", "GET"},
		{"s3", "POST", "/bucket", "GET, PUT, HEAD, DELETE"},
		{"s3", "PATCH", "/bucket/key", "PUT, GET, HEAD, DELETE"},
		{"", "POST", "/healthz", "GET, HEAD"},
		{"", "DELETE", "/readyz", "GET, HEAD"},
		{"", "PUT", "/metrics", "GET, HEAD"},
	} {
		r, err := http.NewRequestWithContext(t.Context(), at.method, a.Address()+at.path, http.NoBody)
		must(t, err)
		if at.service != "" {
			sigv4.Sign(r, sigv4.Credentials{AccessKeyID: a.Root().AccessKeyID, Secret: a.Root().Secret}, at.service, "us-east-1", fmt.Sprintf("%x", sha256.Sum256(nil)), time.Now())
		}
		resp, err := http.DefaultClient.Do(r)
		must(t, err)
		must(t, resp.Body.Close())
		want := http.StatusMethodNotAllowed
		if at.allow == "" {
			want = http.StatusNotFound
		}
		if got := resp.Header.Values("Allow"); resp.StatusCode != want || strings.Join(got, "|") != at.allow {
			t.Errorf("%s %s: %d, Allow: %q; want %d, %q", at.method, at.path, resp.StatusCode, got, want, at.allow)
		}
	}
}
