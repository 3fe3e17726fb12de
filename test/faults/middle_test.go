package faults_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tarn/export"
	"tarn/ingest"
	"tarn/job"
)

// at calls f at the n-th put from now, in the middle of a job.
func (h *house) at(n int, f func()) {
	h.puts.Hook(func(k int, _ string) (error, error) {
		if k == n {
			f()
		}
		return nil, nil
	})
}

// failed demands that a job is FAILED with a message that has all the words, and that it left no manifest.
func (h *house) failed(what string, rec job.Record, words ...string) {
	h.t.Helper()
	got := h.describe(rec)
	if got.State != job.Failed {
		h.t.Errorf("%s: %s: %s", what, got.State, got.Message)
	}
	for _, w := range words {
		if !strings.Contains(got.Message, w) {
			h.t.Errorf("%s: the message does not say %s: %q", what, w, got.Message)
		}
	}
	if _, ok := h.below("out/" + export.Folder(h.data.ID, rec.ID))[export.ManifestName]; ok {
		h.t.Errorf("%s: a failed export has a manifest", what)
	}
	if _, ok := h.below("log/" + ingest.Folder(h.data.ID, rec.ID))["manifest.json"]; ok {
		h.t.Errorf("%s: a failed import has a manifest", what)
	}
}

// TestMiddle_takesAwayTheRightOfTheRole: the next thing that the job does ends it, and its message names the action and
// the resource.
func TestMiddle_takesAwayTheRightOfTheRole(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"s3:PutObject", "kms:GenerateDataKey*"} {
		t.Run(strings.TrimRight(action, "*"), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				h.fill()
				h.at(2, func() { h.permit(action) })
				rec := h.startExport("one")
				h.run()
				resource := "arn:aws:s3:::" + bucket + "/out/"
				if strings.HasPrefix(action, "kms:") {
					resource = h.key.ARN
				}
				h.failed("export", rec, strings.TrimRight(action, "*"), resource)
				h.permit("")
				h.input("two")
				h.at(1, func() { h.permit(action) })
				rec = h.startImport("two")
				h.run()
				h.failed("import", rec, strings.TrimRight(action, "*"), strings.Replace(resource, "/out/", "/log/", 1))
			})
		})
	}
	for _, action := range []string{"s3:GetObject", "kms:Decrypt"} {
		t.Run(action, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				h.input("one")
				rec := h.startImport("one")
				h.permit(action)
				h.run()
				resource := "arn:aws:s3:::" + bucket + "/in/one/"
				if action == "kms:Decrypt" {
					resource = h.key.ARN
				}
				h.failed("import", rec, action, resource)
			})
		})
	}
}

// TestMiddle_disablesTheKey: so does a key that is disabled.
func TestMiddle_disablesTheKey(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := build(t)
		h.fill()
		h.input("two")
		h.at(2, func() { must(t, h.root().DisableKey(t.Context(), h.key.ID)) })
		rec := h.startExport("one")
		h.run()
		must(t, h.root().EnableKey(t.Context(), h.key.ID))
		h.failed("export", rec, "isabled", "kms:GenerateDataKey", h.key.ARN)
		h.at(1, func() { must(t, h.root().DisableKey(t.Context(), h.key.ID)) })
		rec = h.startImport("two")
		h.run()
		must(t, h.root().EnableKey(t.Context(), h.key.ID))
		h.failed("import", rec, "isabled", "kms:GenerateDataKey", h.key.ARN)
	})
}

// TestMiddle_deletesTheBucket: and a bucket that is gone.
func TestMiddle_deletesTheBucket(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"export", "import"} {
		t.Run(what, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				h.fill()
				h.input("two")
				for _, other := range []string{"Organization", "Patient"} { // else the import may read the next file just then
					must(t, h.root().DeleteObject(t.Context(), bucket, "in/two/"+other+".ndjson"))
				}
				h.at(1, func() {
					for name := range h.below("") {
						must(t, h.root().DeleteObject(t.Context(), bucket, name))
					}
					must(t, h.root().DeleteBucket(t.Context(), bucket))
				})
				rec := h.startExport
				if what == "import" {
					rec = h.startImport
				}
				ended := rec("two")
				h.run()
				got := h.describe(ended)
				if got.State != job.Failed || !strings.Contains(got.Message, "s3:PutObject of arn:aws:s3:::"+bucket) || !strings.Contains(got.Message, "does not exist") {
					t.Errorf("%s: %s", got.State, got.Message)
				}
			})
		})
	}
}

// TestMiddle_fillsTheDisk: a disk that is full for a while delays a job; one that stays full fails it with a message, as
// soon as the ledger can be written.
func TestMiddle_fillsTheDisk(t *testing.T) {
	t.Parallel()
	for _, where := range []string{"bucket", "engine"} {
		for _, long := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s,long=%v", where, long), func(t *testing.T) {
				if where == "engine" {
					onDisk(t)
				}
				synctest.Test(t, func(t *testing.T) {
					h := build(t)
					h.fill()
					h.input("n0000")
					full := map[string]*atomic.Bool{"bucket": &h.disk.full, "engine": &h.disk.nearly}[where]
					calmImport := h.startImport("n0000")
					h.run()
					wantImport := h.imported(calmImport, "n0000")
					calm := h.startExport("calm")
					h.run()
					want := h.exported(calm)
					span := 20 * time.Second
					if long {
						span = 2 * time.Hour
					}
					trouble := func() {
						full.Store(true)
						time.Sleep(2 * time.Second) // past the engine's look at the disk
						go func() {
							time.Sleep(span)
							full.Store(false)
						}()
					}
					h.at(2, trouble)
					rec := h.startExport("full")
					h.run()
					time.Sleep(span)
					if long {
						h.failed("export", rec, "disk")
					} else {
						h.whole("export", rec, want)
					}
					h.puts.Hook(nil)
					h.input("n0001")
					h.at(1, trouble)
					rec = h.startImport("n0001")
					h.run()
					time.Sleep(span)
					if long {
						h.failed("import", rec, "disk")
					} else if got := h.imported(rec, "n0001"); got != wantImport {
						t.Errorf("import:\n%s\nwant\n%s", got, wantImport)
					}
				})
			})
		}
	}
}
