package export_test

import (
	"errors"
	"io"
	"strings"
	"testing"

	"tarn/export"
)

func TestAbsoluteURLs_areThoseOfAttachmentsAlone(t *testing.T) {
	t.Parallel()
	const base = "https://tarn.test/datastore/1/r4"
	document := func(attachment string) string {
		return `{"resourceType":"DocumentReference","id":"d","status":"current","content":[{"attachment":{` + attachment + `}}]}`
	}
	for name, test := range map[string][2]string{
		"a Binary of the data store":  {document(`"url":"Binary/b1"`), document(`"url":"` + base + `/Binary/b1"`)},
		"spaces, which are not kept":  {document(`"contentType":"a/b", "url" : "Binary/b1" ,"title":"1.0"`), document(`"contentType":"a/b","url":"` + base + `/Binary/b1","title":"1.0"`)},
		"a version":                   {document(`"url":"Binary/b1/_history/2"`), document(`"url":"` + base + `/Binary/b1/_history/2"`)},
		"an escape":                   {document(`"url":"Binary\/b1"`), document(`"url":"` + base + `/Binary\/b1"`)},
		"another path":                {document(`"url":"files/x.pdf"`), document(`"url":"` + base + `/files/x.pdf"`)},
		"a path of the host":          {document(`"url":"/files/x.pdf"`), document(`"url":"https://tarn.test/files/x.pdf"`)},
		"a path with a colon":         {document(`"url":"x/y:z"`), document(`"url":"` + base + `/x/y:z"`)},
		"an absolute one":             {document(`"url":"http://elsewhere.test/Binary/b1"`), ""},
		"an absolute one of this":     {document(`"url":"` + base + `/Binary/b1"`), ""},
		"another scheme":              {document(`"url":"s3://bucket/key"`), ""},
		"a URN":                       {document(`"url":"urn:uuid:0b"`), ""},
		"another host":                {document(`"url":"//other.test/x"`), ""},
		"a fragment":                  {document(`"url":"#b"`), ""},
		"empty":                       {document(`"url":""`), ""},
		"an extension's url":          {`{"resourceType":"Patient","extension":[{"url":"http://x","extension":[{"url":"ombCategory","valueString":"Binary/b1"}]}]}`, ""},
		"a request in a Bundle":       {`{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/1"}}]}`, ""},
		"the value of an extension":   {`{"resourceType":"Patient","extension":[{"url":"http://x","valueAttachment":{"url":"Binary/b1"}}]}`, `{"resourceType":"Patient","extension":[{"url":"http://x","valueAttachment":{"url":"` + base + `/Binary/b1"}}]}`},
		"photos, and one contained":   {`{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","photo":[{"url":"Binary/1"}]}],"photo":[{"url":"Binary/2"},{"url":"Binary/3"}]}`, `{"resourceType":"Patient","contained":[{"resourceType":"Practitioner","photo":[{"url":"` + base + `/Binary/1"}]}],"photo":[{"url":"` + base + `/Binary/2"},{"url":"` + base + `/Binary/3"}]}`},
		"a reference stays relative":  {`{"resourceType":"Media","status":"completed","subject":{"reference":"Patient/1"},"content":{"url":"Binary/1"}}`, `{"resourceType":"Media","status":"completed","subject":{"reference":"Patient/1"},"content":{"url":"` + base + `/Binary/1"}}`},
		"the text of no such element": {`{"resourceType":"Observation","valueString":"\"url\":\"Binary/1\""}`, ""},
	} {
		want := test[1]
		if want == "" {
			want = test[0]
		}
		if got, err := export.AbsoluteForTest(base, []byte(test[0])); err != nil || string(got) != want {
			t.Errorf("%s: %v\n%s, want\n%s", name, err, got, want)
		}
	}
}

func TestExport_toTheOwnBucketHasAbsoluteURLsAndToACallersWhatIsStored(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, `{"resourceType":"DocumentReference","id":"d","status":"current","content":[{"attachment":{"url":"Binary/b1","title":"1.0"}}]}`, `{"resourceType":"Binary","id":"b1","contentType":"text/plain","data":"YQ=="}`)
	r := w.request()
	r.Base = "https://tarn.test/datastore/1/r4"
	for _, own := range []bool{false, true} {
		if r.Own = own; own {
			r.RoleARN, r.S3Uri, r.KMSKeyID = "", "", ""
		}
		rec, err := w.exports.Start(t.Context(), r)
		must(t, err)
		w.run()
		rec = w.describe(rec.ID)
		files, err := w.exports.Files(t.Context(), rec)
		must(t, err)
		var text string
		for i, d := range w.digests(rec.ID) {
			if d != files[i] {
				t.Errorf("the digests say %+v, the files are %+v", d, files[i])
			}
			if d.Type != "DocumentReference" {
				continue
			}
			if own {
				text = w.ownFile(rec.ID, d.Name)
			} else {
				text = string(w.folder(rec.ID)[d.Name])
			}
			if d.SHA256 != sha256Hex([]byte(text)) {
				t.Error("the digest is not that of the file")
			}
		}
		if absolute := strings.Contains(text, `"url":"https://tarn.test/datastore/1/r4/Binary/b1"`); absolute != own || !strings.Contains(text, `"title":"1.0"`) {
			t.Errorf("own %v: %s", own, text)
		}
	}
}

// ownFile reads a file of the service's own bucket.
func (w *world) ownFile(id, name string) string {
	w.t.Helper()
	f, err := w.exports.OpenOwn(w.t.Context(), w.data.ID, id, name)
	must(w.t, err)
	r, err := f.Open(w.t.Context(), 0, -1)
	must(w.t, err)
	b, err := io.ReadAll(r)
	must(w.t, errors.Join(err, r.Close()))
	return string(b)
}
