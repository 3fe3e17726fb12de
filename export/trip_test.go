package export_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tarn/cloud/local"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

func jobsOf(w *world) job.ListFilter { return job.ListFilter{Datastore: w.data.ID} }

var objectKey = regexp.MustCompile(`^.*/[0-9a-f]{32}-FHIR_EXPORT-[0-9a-f]{32}/([A-Za-z]+)/([A-Za-z]+)-\d+-\d+-\d+\.ndjson$`)

// wanted reads the data store as of now: type -> the lines that an export must hold.
func (w *world) wanted() map[string][]string {
	w.t.Helper()
	v, err := w.store().Latest(w.t.Context())
	must(w.t, err)
	defer v.Close()
	all := map[string][]string{}
	for _, name := range r4.Types() {
		code, _ := r4.CodeOf(name)
		census, err := v.Census(w.t.Context(), code)
		must(w.t, err)
		for o := range census.Next {
			version, err := v.ReadOrdinal(w.t.Context(), code, o)
			if fault.Is(err, fault.Gone) {
				continue
			}
			must(w.t, err)
			all[name] = append(all[name], string(version.Body))
		}
	}
	return all
}

// lines reads a job's folder: type -> lines in the order of files.
func (w *world) lines(id string) map[string][]string {
	w.t.Helper()
	all := map[string][]string{}
	objects := w.objects()
	for _, key := range slices.Sorted(maps.Keys(objects)) {
		if strings.HasSuffix(key, "manifest.json") || !strings.Contains(key, id) {
			continue
		}
		m := objectKey.FindStringSubmatch(key)
		if m == nil || m[1] != m[2] {
			w.t.Errorf("object %q is not named as HealthLake names it", key)
			continue
		}
		text, _ := bytes.CutSuffix(objects[key], []byte("\n"))
		all[m[1]] = append(all[m[1]], strings.Split(string(text), "\n")...)
	}
	return all
}

func TestExport_holdsTheDataStoreAsOfItsStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 12345, "en")
	w.put("Observation", 0, 700, "de")
	w.put("Patient", 100, 300, "fr") // new versions
	w.delete("Observation", 650, 700)
	want := w.wanted()
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	if rec.State != job.Submitted {
		t.Errorf("a new job is %s", rec.State)
	}
	w.put("Patient", 0, 50, "xx") // none of this may show
	w.put("Practitioner", 0, 5, "xx")
	w.delete("Observation", 0, 20)
	w.put("Observation", 650, 660, "xx") // created again
	w.run()
	if got := w.describe(rec.ID); got.State != job.Completed {
		t.Fatalf("%s: %s", got.State, got.Message)
	}
	got := w.lines(rec.ID)
	for name := range maps.Keys(want) {
		slices.Sort(want[name])
		slices.Sort(got[name])
		if !slices.Equal(want[name], got[name]) {
			t.Errorf("%s: %d lines, want %d of the store as of the start", name, len(got[name]), len(want[name]))
		}
	}
	if len(got) != len(want) {
		t.Errorf("types %v, want %v", slices.Collect(maps.Keys(got)), slices.Collect(maps.Keys(want)))
	}
	var counts []int
	for _, f := range w.manifest(rec.ID).Output {
		if f.Type == "Patient" {
			counts = append(counts, f.Count)
		}
	}
	if !slices.Equal(counts, []int{5000, 5000, 2345}) {
		t.Errorf("12,345 patients lie in files of %v", counts)
	}
}

func (w *world) delete(typ string, from, to int) {
	w.t.Helper()
	code, _ := r4.CodeOf(typ)
	var tx store.Transaction
	for n := from; n < to; n++ {
		tx.Writes = append(tx.Writes, store.Write{Op: store.Delete, Type: code, ID: fmt.Sprintf("id-%d", n)})
	}
	_, err := w.store().Commit(w.t.Context(), tx)
	must(w.t, err)
}

func (w *world) manifest(id string) export.Manifest {
	w.t.Helper()
	m, err := export.ParseManifest(w.folder(id)[export.ManifestName])
	must(w.t, err)
	return m
}

func TestExport_ofAnEmptyDataStoreIsAManifest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	if got := w.describe(rec.ID); got.State != job.Completed {
		t.Fatalf("%s: %s", got.State, got.Message)
	}
	if f := w.folder(rec.ID); len(f) != 1 || w.manifest(rec.ID).Count != 0 {
		t.Errorf("the folder holds %d objects", len(f))
	}
}

func TestExport_isSealedUnderTheKeyOfTheJob(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 3, "en")
	_, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	for key := range w.objects() {
		info, err := w.root().HeadObject(t.Context(), bucket, key)
		must(t, err)
		if info.SSE != local.SSEKMS || info.KMSKeyARN != w.key.ARN {
			t.Errorf("%s lies under %q %q", key, info.SSE, info.KMSKeyARN)
		}
	}
	must(t, w.root().DisableKey(t.Context(), w.key.ID))
	if _, err := w.root().GetObject(t.Context(), bucket, "out/"+export.Folder(w.data.ID, "x")+export.ManifestName); err == nil {
		t.Error("read without the key")
	}
}

func TestExport_goesOnAfterEveryFaultToTheSameBytes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 5100, "en")
	w.put("Observation", 0, 5100, "en")
	boom := fault.Errorf(fault.Unavailable, "test", "boom")
	calm, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	whole := w.folder(calm.ID)
	puts := len(whole)
	for n := 1; n <= puts; n++ {
		for _, after := range []bool{false, true} {
			w.faults.puts = 0
			w.faults.fail = func(k int, _ string) (error, error) {
				switch {
				case k != n:
					return nil, nil
				case after:
					return nil, boom
				}
				return boom, nil
			}
			rec, err := w.exports.Start(t.Context(), w.request())
			must(t, err)
			w.run()
			if got := w.describe(rec.ID); got.State != job.Completed {
				t.Fatalf("put %d fails (after: %v): %s %s", n, after, got.State, got.Message)
			}
			w.sameFiles(whole, w.folder(rec.ID))
			digests := w.digests(rec.ID)
			report, err := export.Verify(t.Context(), w.folder(rec.ID), digests, nil)
			if err != nil || len(report.Problems) > 0 || report.Verified != 10200 {
				t.Errorf("put %d (after: %v): %d verified, %v %v", n, after, report.Verified, report.Problems, err)
			}
		}
	}
}

func sha256Hex(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }

var jobNumber = regexp.MustCompile(`-\d+-(\d+-\d+\.ndjson)$`)

// sameFiles compares two exports of one state: names but for the job's number, and bytes.
func (w *world) sameFiles(a, b folder) {
	w.t.Helper()
	plain := func(f folder) map[string]string {
		m := map[string]string{}
		for name, text := range f {
			if name != export.ManifestName {
				m[jobNumber.ReplaceAllString(name, "-N-$1")] = string(text)
			}
		}
		return m
	}
	if !maps.Equal(plain(a), plain(b)) {
		w.t.Errorf("the exports differ: %v and %v", slices.Sorted(maps.Keys(plain(a))), slices.Sorted(maps.Keys(plain(b))))
	}
}

func (w *world) digests(id string) []export.File {
	w.t.Helper()
	all := []export.File{}
	_, err := w.exports.Digests(w.t.Context(), w.data.ID, id, func(f export.File) error {
		all = append(all, f)
		return nil
	})
	must(w.t, err)
	return all
}

func TestExport_failsWithTheReasonOfAPermanentFault(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 10, "en")
	w.faults.fail = func(int, string) (error, error) {
		return fault.Errorf(fault.Denied, "test", "not authorized to perform s3:PutObject"), nil
	}
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	if got := w.describe(rec.ID); got.State != job.Failed || !strings.Contains(got.Message, "s3:PutObject") {
		t.Errorf("%s: %s", got.State, got.Message)
	}
	if _, ok := w.folder(rec.ID)[export.ManifestName]; ok {
		t.Error("a failed export has a manifest")
	}
}

func TestStart_queuesTwentyFiveAndRefusesTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var ids []string
	for range export.MaxWaiting + 1 { // the first of them is the next to run
		rec, err := w.exports.Start(t.Context(), w.request())
		must(t, err)
		ids = append(ids, rec.ID)
	}
	if _, err := w.exports.Start(t.Context(), w.request()); !fault.Is(err, fault.Throttled) {
		t.Errorf("the queue takes one more: %v", err)
	}
	w.run()
	last := w.describe(ids[0])
	for _, id := range ids[1:] {
		rec := w.describe(id)
		if rec.State != job.Completed || rec.StartTime.Before(last.EndTime) {
			t.Errorf("job %d is %s and began at %v, before the end of the one before at %v", rec.Seq, rec.State, rec.StartTime, last.EndTime)
		}
		last = rec
	}
}

func TestStart_givesTheSameJobForTheSameToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request()
	r.ClientToken = "token-1"
	a, err := w.exports.Start(t.Context(), r)
	must(t, err)
	must(t, w.root().DisableKey(t.Context(), w.key.ID)) // what was accepted is not checked again
	b, err := w.exports.Start(t.Context(), r)
	if err != nil || a.ID != b.ID {
		t.Errorf("%s and %s: %v", a.ID, b.ID, err)
	}
	r.JobName = "other"
	if _, err := w.exports.Start(t.Context(), r); !fault.Is(err, fault.Invalid) {
		t.Errorf("another request under the same token: %v", err)
	}
}

func TestVerify_catchesWhatWasPlanted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 20, "en")
	rec, err := w.exports.Start(t.Context(), w.request())
	must(t, err)
	w.run()
	digests := w.digests(rec.ID)
	name := digests[0].Name
	line := func(f folder, n int) []byte { return bytes.SplitAfter(f[name], []byte("\n"))[n] }
	tests := []struct {
		name  string
		plant func(f folder)
		says  string
	}{
		{"nothing", func(folder) {}, ""},
		{"a missing line", func(f folder) { f[name] = bytes.Replace(f[name], line(f, 7), nil, 1) }, "19 resources"},
		{"a doubled line", func(f folder) { f[name] = append(bytes.Clone(f[name]), line(f, 3)...) }, "Line 21 is a second resource of an id"},
		{"an altered line", func(f folder) { f[name] = bytes.Replace(f[name], []byte("1.0"), []byte("1.1"), 1) }, "SHA-256"},
		{"a line that is no JSON", func(f folder) { f[name] = bytes.Replace(f[name], []byte("{"), []byte("["), 1) }, "Line 1 is no FHIR resource"},
		{"a missing file", func(f folder) { delete(f, name) }, "does not hold it"},
		{"no newline at the end", func(f folder) { f[name] = bytes.TrimSuffix(f[name], []byte("\n")) }, "does not end in a newline"},
		{"lines of another type", func(f folder) { f[name] = bytes.ReplaceAll(f[name], []byte(`"Patient"`), []byte(`"Account"`)) }, "Line 20 is a Account"},
		{"more bad lines than are told", func(f folder) { f[name] = bytes.Repeat([]byte("x\n"), 25) }, "has 5 more problems"},
		{"a file named twice", func(f folder) {
			b := bytes.Replace(f[export.ManifestName], []byte(`"count": 20,`), []byte(`"count": 40,`), 1)
			f[export.ManifestName] = regexp.MustCompile(`(?s)"output": \[(.*?\})`).ReplaceAll(b, []byte(`"output": [$1,$1`))
		}, "Line 1 is a second resource of an id"},
		{"a file too many", func(f folder) { f["Patient/extra.ndjson"] = nil }, "does not name it"},
		{"no manifest", func(f folder) { delete(f, export.ManifestName) }, "no manifest"},
		{"a broken manifest", func(f folder) { f[export.ManifestName] = []byte("{") }, "no JSON"},
		{"wrong totals", func(f folder) {
			f[export.ManifestName] = bytes.Replace(f[export.ManifestName], []byte(`"count": 20`), []byte(`"count": 21`), 1)
		}, "totals"},
		{"file and manifest changed alike", func(f folder) {
			old := digests[0]
			f[name] = bytes.Replace(f[name], []byte("1.0"), []byte("1.1"), 1)
			f[export.ManifestName] = bytes.Replace(f[export.ManifestName], []byte(old.SHA256), []byte(sha256Hex(f[name])), 1)
		}, "the store, as of the export's transaction, says"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := w.folder(rec.ID)
			tt.plant(f)
			report, err := export.Verify(t.Context(), f, digests, nil)
			must(t, err)
			text := fmt.Sprint(report.Problems)
			if tt.says == "" && (len(report.Problems) > 0 || report.Verified != 20) || !strings.Contains(text, tt.says) {
				t.Errorf("%d verified, problems %s; want one with %q", report.Verified, text, tt.says)
			}
			if tt.says != "" && len(report.Problems) == 0 {
				t.Error("not caught")
			}
		})
	}
}
