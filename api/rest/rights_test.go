package rest_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"tarn/access/sigv4"
)

// user makes a user who may do the actions, and gives what sends requests as that user.
func (f *face) user(t *testing.T, name string, actions ...string) func(method, at, body string) (int, string) {
	t.Helper()
	root := f.app.Root()
	iam := func(values url.Values) []byte {
		values.Set("Version", "2010-05-08")
		status, got := f.signed(t, sigv4.Credentials{AccessKeyID: root.AccessKeyID, Secret: root.Secret}, "iam", http.MethodPost, f.app.URL()+"/", "application/x-www-form-urlencoded", values.Encode())
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", values.Get("Action"), status, got)
		}
		return []byte(got)
	}
	iam(url.Values{"Action": {"CreateUser"}, "UserName": {name}})
	iam(url.Values{"Action": {"PutUserPolicy"}, "UserName": {name}, "PolicyName": {"p"}, "PolicyDocument": {
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`}})
	var key struct {
		AccessKeyID string `xml:"CreateAccessKeyResult>AccessKey>AccessKeyId"`
		Secret      string `xml:"CreateAccessKeyResult>AccessKey>SecretAccessKey"`
	}
	must(t, xml.Unmarshal(iam(url.Values{"Action": {"CreateAccessKey"}, "UserName": {name}}), &key))
	return func(method, at, body string) (int, string) {
		return f.signed(t, sigv4.Credentials{AccessKeyID: key.AccessKeyID, Secret: key.Secret}, "healthlake", method, f.base+at, "application/fhir+json", body)
	}
}

func (f *face) signed(t *testing.T, c sigv4.Credentials, service, method, at, contentType, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, at, bytes.NewReader([]byte(body)))
	must(t, err)
	r.Header.Set("Content-Type", contentType)
	sigv4.Sign(r, c, service, "us-east-1", fmt.Sprintf("%x", sha256.Sum256([]byte(body))), time.Now())
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	got, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	return resp.StatusCode, string(got)
}

// Besides the right to process bundles each entry needs that of its own interaction.
func TestBundle_eachEntryNeedsItsRight(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	entries := `"entry":[{"resource":{"resourceType":"Patient","id":"p"},"request":{"method":"PUT","url":"Patient/p"}},{"request":{"method":"GET","url":"Patient/p"}}]}`
	batch, transaction := `{"resourceType":"Bundle","type":"batch",`+entries, `{"resourceType":"Bundle","type":"transaction",`+entries

	reader := f.user(t, "reader", "healthlake:ReadResource", "healthlake:UpdateResource")
	if status, got := reader(http.MethodPost, "/", batch); status != http.StatusForbidden || !strings.Contains(got, "healthlake:ProcessBundle") {
		t.Errorf("without ProcessBundle: %d %s", status, got)
	}
	bundler := f.user(t, "bundler", "healthlake:ProcessBundle", "healthlake:ReadResource")
	status, got := bundler(http.MethodPost, "/", batch)
	if status != http.StatusOK || !strings.Contains(got, `{"response":{"status":"403","outcome"`) || !strings.Contains(got, `{"response":{"status":"404"`) || !strings.Contains(got, "healthlake:UpdateResource") {
		t.Errorf("a batch without UpdateResource: %d %s", status, got)
	}
	if status, got := bundler(http.MethodPost, "/", transaction); status != http.StatusForbidden || !strings.Contains(got, "Bundle.entry[0]") || !strings.Contains(got, "healthlake:UpdateResource") {
		t.Errorf("a transaction without UpdateResource: %d %s", status, got)
	}
	if status, _ := bundler(http.MethodGet, "Patient/p", ""); status != http.StatusNotFound {
		t.Errorf("something was written: %d", status)
	}
	writer := f.user(t, "writer", "healthlake:ProcessBundle", "healthlake:ReadResource", "healthlake:UpdateResource")
	if status, got := writer(http.MethodPost, "/", transaction); status != http.StatusOK || !strings.Contains(got, `"status":"201"`) {
		t.Errorf("with all rights: %d %s", status, got)
	}
	if status, got := writer(http.MethodGet, "Patient/p/$everything", ""); status != http.StatusForbidden || !strings.Contains(got, "healthlake:SearchEverything") {
		t.Errorf("$everything without its right: %d %s", status, got)
	}
	everybody := f.user(t, "everybody", "healthlake:SearchEverything")
	if status, got := everybody(http.MethodGet, "Patient/p/$everything", ""); status != http.StatusOK {
		t.Errorf("$everything: %d %s", status, got)
	}
}
