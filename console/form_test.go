package console_test

import (
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// full is a form in which everything is chosen from what is there.
func full(more url.Values) url.Values {
	form := url.Values{"datastore": {dsID}, "bucket-mode": {"existing"}, "bucket": {"bucket-one"}, "prefix": {"in"},
		"key-mode": {"existing"}, "key": {keyARN}, "role-mode": {"existing"}, "role": {roleARN}, "job-name": {"nightly"}}
	for name, values := range more {
		form[name] = values
	}
	return form
}

// allNew is a form in which everything is to be made.
func allNew(more url.Values) url.Values {
	return full(url.Values{"bucket-mode": {"new"}, "bucket-name": {"new-bucket"}, "key-mode": {"new"}, "key-name": {"new-key"},
		"role-mode": {"new"}, "role-name": {"NewRole"}, "do": more["do"], "seen": more["seen"]})
}

// changes are the calls that make or start something.
func (f *fake) changes() (out []string) {
	for _, op := range f.asked() {
		for _, verb := range []string{"Create", "Put", "Attach", "Start", "Delete"} {
			if strings.HasPrefix(op, verb) {
				out = append(out, op)
			}
		}
	}
	return out
}

func TestExport_starts(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	p := s.post("/console/export", full(url.Values{"do": {"export"}, "nonce": {"n"}}))
	if want := "/console/datastores/" + dsID + "/export/" + jobID + "?started=1"; p.Header.Get("Location") != want {
		t.Fatalf("%s %s\n%s", p.Status, p.Header.Get("Location"), p.text)
	}
	var sent struct {
		DatastoreId, DataAccessRoleArn, JobName, ClientToken string
		OutputDataConfig                                     struct {
			S3Configuration struct{ S3Uri, KmsKeyId string }
		}
	}
	read := func() string {
		if err := json.Unmarshal([]byte(s.api.body("StartFHIRExportJob")), &sent); err != nil {
			t.Fatal(err)
		}
		return sent.ClientToken
	}
	first := read()
	if to := sent.OutputDataConfig.S3Configuration; to.S3Uri != "s3://bucket-one/in/" || to.KmsKeyId != keyARN || sent.DataAccessRoleArn != roleARN || sent.JobName != "nightly" {
		t.Errorf("sent %+v", sent)
	}
	s.post("/console/export", full(url.Values{"do": {"export"}, "nonce": {"n"}}))
	if read() != first {
		t.Error("a form that is sent twice starts two jobs")
	}
	s.post("/console/export", full(url.Values{"do": {"export"}, "nonce": {"n"}, "prefix": {"elsewhere"}}))
	if read() == first {
		t.Error("a changed form counts as the same job")
	}
	if p := s.get(p.Header.Get("Location")); !strings.Contains(p.text, "The export job was submitted") || !strings.Contains(p.text, `data-copy="`+jobID) {
		t.Errorf("no banner:\n%s", p.text)
	}
}

func TestExport_checkStartsNothing(t *testing.T) {
	t.Parallel()
	for _, do := range []string{"check", "", "policies"} {
		for _, form := range []url.Values{full(url.Values{"do": {do}}), allNew(url.Values{"do": {do}})} {
			s := newSite(t, "Clinic")
			s.signIn()
			if p := s.post("/console/export", form); p.StatusCode != http.StatusOK || len(s.api.changes()) > 0 {
				t.Errorf("%s, and it did %v", p.Status, s.api.changes())
			}
		}
	}
}

func TestExport_showsFindingsBesideTheirFields(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	s.api.answers["preflight"] = `{"findings":[{"field":"bucket","setting":"BlockPublicAcls","resource":"arn:b","problem":"It is off.","remedy":"Turn it on."},
		{"field":"key","setting":"kms:DescribeKey","problem":"No statement allows it."},{"field":"role","setting":"s3:PutObject","problem":"Not allowed."},{"field":"unheard","problem":"Else."}]}`
	beside := func(p page) {
		t.Helper()
		for _, pair := range [][2]string{{"at-bucket", "Turn it on."}, {"at-key", "kms:DescribeKey"}, {"at-role", "s3:PutObject"}} {
			_, section, _ := strings.Cut(p.text, `id="`+pair[0]+`"`)
			section, _, _ = strings.Cut(section, "</fieldset>")
			if !strings.Contains(section, pair[1]) || strings.Count(section, `class="finding"`) != 1 {
				t.Errorf("%s lacks %q, or has too much:\n%s", pair[0], pair[1], section)
			}
		}
		if !strings.Contains(p.text, "4 things stand in the way") || !strings.Contains(p.text, "Else.") {
			t.Errorf("no summary:\n%s", p.text)
		}
	}
	beside(s.post("/console/export", full(url.Values{"do": {"check"}})))
	if len(s.api.changes()) > 0 {
		t.Errorf("it did %v", s.api.changes())
	}
	s.api.broken["StartFHIRExportJob"] = "AccessDeniedException"
	beside(s.post("/console/export", full(url.Values{"do": {"export"}})))
	s.api.answers["preflight"] = `{"findings":[]}`
	if p := s.post("/console/export", full(url.Values{"do": {"export"}})); p.StatusCode != http.StatusForbidden || !strings.Contains(p.text, "The API says") {
		t.Errorf("a refusal without findings is not told: %s\n%s", p.Status, p.text)
	}
}

func TestExport_makesWhatIsMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	p := s.post("/console/export", allNew(url.Values{"do": {"export"}, "seen": {"other policies"}}))
	if !strings.Contains(p.text, "Look at the role") || len(s.api.changes()) > 0 {
		t.Fatalf("policies that nobody saw were made: %v\n%s", s.api.changes(), p.text)
	}
	seen := ""
	for _, m := range hidden.FindAllStringSubmatch(p.text, -1) {
		if m[1] == "seen" {
			seen = m[2]
		}
	}
	p = s.post("/console/export", allNew(url.Values{"do": {"export"}, "seen": {seen}}))
	want := []string{"CreateKey", "CreateAlias", "CreateBucket", "PutPublicAccessBlock", "PutBucketEncryption", "CreatePolicy", "CreateRole", "AttachRolePolicy", "StartFHIRExportJob"}
	if p.StatusCode != http.StatusSeeOther || !slices.Equal(s.api.changes(), want) {
		t.Fatalf("%s: it did %v\n%s", p.Status, s.api.changes(), p.text)
	}
	for op, holds := range map[string]string{"PutBucketEncryption": "key/new", "CreatePolicy": "new-bucket", "StartFHIRExportJob": "role/NewRole", "CreateRole": url.QueryEscape(dsARN)} {
		if !strings.Contains(s.api.body(op), holds) {
			t.Errorf("%s has no %s: %s", op, holds, s.api.body(op))
		}
	}
}

func TestExport_doesNotMakeThingsTwiceAfterAFailure(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	shown := s.post("/console/export", allNew(url.Values{"do": {"policies"}}))
	_, rest, _ := strings.Cut(shown.text, `name="seen" value="`)
	seen, _, _ := strings.Cut(rest, `"`)
	s.api.broken["CreateRole"] = "EntityAlreadyExists"
	p := s.post("/console/export", allNew(url.Values{"do": {"export"}, "seen": {seen}}))
	if p.StatusCode != http.StatusConflict || !strings.Contains(p.text, "The bucket new-bucket was created.") {
		t.Fatalf("%s\n%s", p.Status, p.text)
	}
	for _, chosen := range []string{`id="bucket-existing" name="bucket-mode" value="existing" checked`, `id="key-existing" name="key-mode" value="existing" checked`,
		`id="role-new" name="role-mode" value="new" checked`, `<option value="new-bucket" selected>`, `<option value="arn:aws:kms:us-east-1:123456789012:key/new" selected>`} {
		if !strings.Contains(p.text, chosen) {
			t.Errorf("the form lacks %s:\n%s", chosen, p.text)
		}
	}
	if changes := s.api.changes(); !slices.Contains(changes, "DeletePolicy") || slices.Contains(changes, "StartFHIRExportJob") {
		t.Errorf("it did %v", changes)
	}
}

func TestExport_namesThatAreTakenAreToldBeforeAnythingIsMade(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	s.api.answers["HeadBucket"], s.api.answers["GetRole"] = "", "<R/>"
	p := s.post("/console/export", allNew(url.Values{"do": {"check"}}))
	if !strings.Contains(p.text, "There is a bucket new-bucket already.") || !strings.Contains(p.text, "There is an IAM role NewRole already.") || len(s.api.changes()) > 0 {
		t.Errorf("%v\n%s", s.api.changes(), p.text)
	}
}

func TestExport_tellsSlipsOfThePen(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	for field, form := range map[string]url.Values{
		"at-datastore": {"datastore": {""}}, "at-bucket": {"bucket-mode": {"new"}, "bucket-name": {"No Bucket"}},
		"at-key": {"key": {""}}, "at-role": {"role-mode": {"new"}, "role-name": {"no role"}}, "at-job": {"job-name": {"no (name)"}},
	} {
		form.Set("do", "export")
		p := s.post("/console/export", full(form))
		if p.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(p.text, `<a href="#`+field+`">`) {
			t.Errorf("%s: %s\n%s", field, p.Status, p.text)
		}
	}
	if len(s.api.changes()) > 0 {
		t.Errorf("it did %v", s.api.changes())
	}
}

func TestExport_runsAgainAsBefore(t *testing.T) {
	t.Parallel()
	s := newSite(t, "nightly")
	s.signIn()
	p := s.get("/console/export?datastore=" + dsID + "&from=" + jobID)
	for _, filled := range []string{`name="prefix" value="in"`, `<option value="bucket-one" selected>`, `<option value="` + keyARN + `" selected>`,
		`<option value="` + roleARN + `" selected>`, `name="job-name" value="nightly"`, `<option value="` + dsID + `" selected>`} {
		if !strings.Contains(p.text, filled) {
			t.Errorf("the form lacks %s:\n%s", filled, p.text)
		}
	}
}

func TestExport_letsPeopleTypeWhatTheyMayNotList(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	for _, op := range []string{"ListBuckets", "ListKeys", "ListRoles", "ListFHIRDatastores"} {
		s.api.broken[op] = "AccessDenied"
	}
	p := s.get("/console/export?datastore=" + dsID)
	for _, typed := range []string{`<input id="bucket"`, `<input id="key"`, `<input id="role"`, `<input id="datastore"`, html.EscapeString(dsARN)} {
		if p.StatusCode != http.StatusOK || !strings.Contains(p.text, typed) {
			t.Errorf("%s: no %s", p.Status, typed)
		}
	}
}

func TestDatastores_areMadeOnceAndDeletedByName(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	p := s.post("/console/datastores/create", url.Values{"name": {"Clinic"}, "preload": {"1"}})
	if p.Header.Get("Location") != "/console/datastores/"+dsID+"?created=1" || !strings.Contains(s.api.body("CreateFHIRDatastore"), "SYNTHEA") || !strings.Contains(s.api.body("CreateFHIRDatastore"), "ClientToken") {
		t.Errorf("%s: %s", p.Status, s.api.body("CreateFHIRDatastore"))
	}
	path := "/console/datastores/" + dsID + "/delete"
	if p := s.post(path, url.Values{"name": {"clinic"}}); p.StatusCode != http.StatusBadRequest || slices.Contains(s.api.asked(), "DeleteFHIRDatastore") {
		t.Errorf("a wrong name deletes: %s", p.Status)
	}
	if p := s.post(path, url.Values{"name": {"Clinic"}}); p.StatusCode != http.StatusSeeOther || !slices.Contains(s.api.asked(), "DeleteFHIRDatastore") {
		t.Errorf("%s\n%s", p.Status, p.text)
	}
	s.api.broken["DeleteFHIRDatastore"] = "ConflictException"
	if p := s.post(path, url.Values{"name": {"Clinic"}}); p.StatusCode != http.StatusBadRequest && p.StatusCode != http.StatusConflict || !strings.Contains(p.text, "request-1") {
		t.Errorf("%s\n%s", p.Status, p.text)
	}
}
