package export_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"tarn/cloud/local"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
	"tarn/store"
)

func TestParseS3Uri_takesWhatIsWritten(t *testing.T) {
	t.Parallel()
	const id = "0123456789abcdef0123456789abcdef"
	for _, tt := range []struct{ uri, bucket, prefix string }{
		{"s3://bucket", "bucket", ""},
		{"s3://bucket/", "bucket", ""},
		{"s3://bucket//", "bucket", ""},
		{"s3://bucket/a", "bucket", "a/"},
		{"s3://bucket/a/", "bucket", "a/"},
		{"s3://bucket/a/b//", "bucket", "a/b/"},
		{"s3://bucket//a", "bucket", "/a/"},
		{"s3://bucket/a//b", "bucket", "a//b/"},
		{"s3://bu.c-ket/ä b?c#d%20", "bu.c-ket", "ä b?c#d%20/"},
	} {
		b, p, err := export.ParseS3Uri(tt.uri)
		if err != nil || b != tt.bucket || p != tt.prefix {
			t.Errorf("%s is %q %q %v, want %q %q", tt.uri, b, p, err, tt.bucket, tt.prefix)
		}
		// The folder that a user is shown is where the files are.
		b, p, err = export.ParseS3Uri(export.FolderUri(tt.uri, id, id))
		if err != nil || b != tt.bucket || p != tt.prefix+export.Folder(id, id) {
			t.Errorf("%s: the folder is shown in %q %q (%v), files go to %q", tt.uri, b, p, err, tt.prefix+export.Folder(id, id))
		}
	}
	for _, uri := range []string{"", "bucket/a", "s3:/bucket", "s3://", "s3:///a", "s3://Bucket/a", "s3://b", "s3://bucket-/a", "https://bucket/a", "s3://bucket/a\nb"} {
		if _, _, err := export.ParseS3Uri(uri); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: %v", uri, err)
		}
	}
}

func TestStart_refusesNamesThatWouldBeTooLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request()
	r.S3Uri = "s3://" + bucket + "/" + strings.Repeat("x", 850)
	_, err := w.exports.Start(t.Context(), r)
	if !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "Shorten the prefix") {
		t.Errorf("started: %v", err)
	}
}

func TestStart_takesAsManyPatientsAsItSays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request()
	r.Selection = export.Selection{Level: export.Patients}
	p, tx := fhir.NewParser(fhir.Limits{}), store.Transaction{}
	for n := range 10_000 {
		id := fmt.Sprintf("%064d", n)
		res, err := p.Parse([]byte(`{"resourceType":"Patient","id":"` + id + `"}`))
		must(t, err)
		tx.Writes = append(tx.Writes, store.Write{Op: store.Put, Type: res.Code(), ID: id, Resource: res})
		if len(tx.Writes) == 1000 {
			_, err := w.store().Commit(t.Context(), tx)
			must(t, err)
			tx.Writes = nil
		}
		r.Selection.Patients = append(r.Selection.Patients, id)
	}
	_, err := w.exports.Start(t.Context(), r)
	must(t, err)
}

func TestStart_refusesToBeginInTheFuture(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := w.request()
	r.Selection = export.Selection{Since: fhir.InstantOf(time.Now().Add(time.Hour)), Deleted: true}
	if _, err := w.exports.Start(t.Context(), r); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "_since") {
		t.Errorf("an hour ahead: %v", err)
	}
	r.Selection.Since = fhir.InstantOf(time.Now().Add(5 * time.Second)) // a caller's clock is not quite ours
	if _, err := w.exports.Start(t.Context(), r); err != nil {
		t.Error(err)
	}
}

func TestExport_keepsTheKeyThatAnAliasNamedAtItsStart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 3, "en")
	must(t, w.root().CreateAlias(t.Context(), "alias/exports", w.key.ARN))
	r := w.request()
	r.KMSKeyID = "alias/exports"
	rec, err := w.exports.Start(t.Context(), r)
	must(t, err)
	other, err := w.root().CreateKey(t.Context(), local.KeyRequest{})
	must(t, err)
	must(t, w.root().UpdateAlias(t.Context(), "alias/exports", other.ARN))
	w.run()
	if got := w.describe(rec.ID); got.State != "COMPLETED" {
		t.Fatalf("%s: %s", got.State, got.Message)
	}
	if m := w.manifest(rec.ID); m.KMSKeyID != w.key.ARN {
		t.Errorf("the manifest names the key %s, want %s", m.KMSKeyID, w.key.ARN)
	}
	for key := range w.objects() {
		info, err := w.root().HeadObject(t.Context(), bucket, key)
		must(t, err)
		if info.KMSKeyARN != w.key.ARN {
			t.Errorf("%s lies under %s", key, info.KMSKeyARN)
		}
	}
}

// TestStart_wantsElementsThatSomethingExportedHas names elements of the root, with a type and without.
func TestStart_wantsElementsThatSomethingExportedHas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.put("Patient", 0, 1, "en")
	for _, test := range []struct {
		types, elements string
		taken           bool
	}{
		{"", "id", true},
		{"", "meta,text,language", true},
		{"", "code", true},
		{"", "value", true},
		{"", "valueQuantity", true},
		{"", "Patient.name,subject", true},
		{"", "bogus", false},
		{"", "id,bogus", false},
		{"", "Name", false},
		{"Patient", "id,name,deceased", true},
		{"Patient", "subject", false},
		{"Patient,Observation", "subject", true},
	} {
		r := w.request()
		r.Selection = export.Selection{Elements: strings.Split(test.elements, ",")}
		if test.types != "" {
			r.Selection.Types = strings.Split(test.types, ",")
		}
		_, err := w.exports.Start(t.Context(), r)
		if test.taken != (err == nil) || !test.taken && (!fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "_elements")) {
			t.Errorf("%s of %q: %v", test.elements, test.types, err)
		}
	}
}
