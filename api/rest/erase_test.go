package rest_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tarn/api/rest"
	"tarn/erase"
	"tarn/kv/kvtest"
)

// TestErase_needsARightOfItsOwn tries it with all rights to write.
func TestErase_needsARightOfItsOwn(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	f.put(t, `{"resourceType":"Patient","id":"p"}`)
	writer := f.user(t, "writer", "healthlake:CreateResource", "healthlake:UpdateResource", "healthlake:DeleteResource", "healthlake:ReadResource", "healthlake:Search*", "healthlake:ProcessBundle")
	if status, got := writer(http.MethodPost, "Patient/p/$erase", ""); status != http.StatusForbidden || !strings.Contains(got, "healthlake:EraseResource") {
		t.Errorf("without the right: %d %s", status, got)
	}
	if status, got := writer(http.MethodGet, "Patient/p", ""); status != http.StatusOK {
		t.Errorf("it has gone: %d %s", status, got)
	}
	eraser := f.user(t, "eraser", "healthlake:EraseResource")
	if status, got := eraser(http.MethodPost, "Patient/p/$erase", ""); status != http.StatusAccepted {
		t.Errorf("with the right: %d %s", status, got)
	}
	all := f.user(t, "all", "healthlake:*")
	if status, got := all(http.MethodPost, "Patient/p/$erase", ""); status != http.StatusAccepted {
		t.Errorf("with all rights: %d %s", status, got)
	}
}

// put stores a resource under its own id.
func (f *face) put(t *testing.T, body string) {
	t.Helper()
	_, rest, _ := strings.Cut(body, `"resourceType":"`)
	typ, rest, _ := strings.Cut(rest, `"`)
	_, rest, _ = strings.Cut(rest, `"id":"`)
	id, _, _ := strings.Cut(rest, `"`)
	resp, got := f.send(t, http.MethodPut, typ+"/"+id, http.Header{"Content-Type": {"application/fhir+json"}}, []byte(body))
	if resp.StatusCode >= 300 {
		t.Fatalf("%s/%s: %d %s", typ, id, resp.StatusCode, got)
	}
}

// TestErase_leavesNoByteOnTheDisk erases a patient among others and reads every file of the data directory.
func TestErase_leavesNoByteOnTheDisk(t *testing.T) {
	t.Parallel()
	if kvtest.PostgresWanted(t) {
		t.Skip("left out: what stays in the files of a PostgreSQL until it is written over is not the server's to say (docs/erase.md)")
	}
	f := newFace(t)
	const family, note, former = "Qzvhxkwjfamilyprzk", "wkxjqvnotezprvhk", "vhqxzkformerkwjp"
	for i := range 300 {
		f.put(t, fmt.Sprintf(`{"resourceType":"Patient","id":"n%d","name":[{"family":"Other%d"}]}`, i, i))
	}
	f.put(t, `{"resourceType":"Patient","id":"x","name":[{"family":"`+former+`"}]}`)
	f.put(t, `{"resourceType":"Patient","id":"x","name":[{"family":"`+family+`"}]}`)
	f.put(t, `{"resourceType":"Observation","id":"ox","status":"final","code":{"text":"`+note+`"},"subject":{"reference":"Patient/x"}}`)
	f.put(t, `{"resourceType":"Binary","id":"large","contentType":"text/plain","data":"`+strings.Repeat("QUJD", 500_000)+`"}`)
	resp, got := f.send(t, http.MethodPost, "", http.Header{"Content-Type": {"application/fhir+json"}, "Prefer": {"respond-async"}}, []byte(
		`{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Condition","id":"cx","note":[{"text":"`+note+`"}],"subject":{"reference":"Patient/x"}},"request":{"method":"PUT","url":"Condition/cx"}}]}`))
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", resp.StatusCode, got)
	}
	f.done(t, resp.Header.Get("Content-Location"))
	tells := func() (files []string) {
		must(t, filepath.WalkDir(f.dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			body, err := os.ReadFile(path)
			body = bytes.ToLower(body)
			for _, text := range []string{family, note, former} {
				if bytes.Contains(body, []byte(strings.ToLower(text))) {
					files = append(files, strings.TrimPrefix(path, f.dir))
					break
				}
			}
			return err
		}))
		return files
	}
	if len(tells()) == 0 {
		t.Fatal("nothing is to be found before: the test would prove nothing")
	}
	resp, got = f.send(t, http.MethodPost, "Patient/x/$erase?compartment=true", nil, nil)
	if resp.StatusCode != http.StatusAccepted {
		t.Fatalf("%d %s", resp.StatusCode, got)
	}
	if outcome := f.done(t, resp.Header.Get("Content-Location")); !strings.Contains(outcome, `"Condition"`) {
		t.Errorf("the answer is %s", outcome)
	}
	if files := tells(); len(files) > 0 {
		t.Errorf("it is still in %q", files)
	}
	if resp, _ := f.send(t, http.MethodGet, "Patient/n7", nil, nil); resp.StatusCode != http.StatusOK {
		t.Errorf("another patient: %d", resp.StatusCode)
	}
}

// done asks an address until the answer is not 202, and gives it.
func (f *face) done(t *testing.T, at string) string {
	t.Helper()
	for {
		resp, got := f.send(t, http.MethodGet, strings.TrimPrefix(at, f.base), nil, nil)
		if resp.StatusCode == http.StatusAccepted {
			continue
		}
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("%s: %d %s", at, resp.StatusCode, got)
		}
		return string(got)
	}
}

// failed is an erasure that failed for good.
type failed struct{ rest.Erasures }

func (failed) Status(context.Context, string, string) (erase.Progress, error) {
	return erase.Progress{State: erase.Failed, Message: "a stored Condition cannot be read"}, nil
}

func TestErasure_thatFailedSaysWhyAndIsNotTransient(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	must(t, rest.ErasureForTest(w, httptest.NewRequest(http.MethodGet, "/Erasure/x", nil), failed{}))
	if w.Code != http.StatusInternalServerError || w.Header().Get("Retry-After") != "" || !strings.Contains(w.Body.String(), "The erasure failed: a stored Condition cannot be read") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}
