package bulk_test

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"tarn/test/server"
)

// user makes an IAM user who may do these actions on the resource, and is the stage with the user's keys.
func (s *stage) user(name, resource string, actions ...string) *stage {
	s.Helper()
	return s.userOf(name, fmt.Sprintf(`{"Effect":"Allow","Action":["%s"],"Resource":%q}`, strings.Join(actions, `","`), resource))
}

// userOf is user with statements of a policy.
func (s *stage) userOf(name, statements string) *stage {
	s.Helper()
	c := s.clients.IAM
	if _, err := c.CreateUser(s.Context(), &iam.CreateUserInput{UserName: &name}); err != nil {
		s.Fatal(err)
	}
	policy := `{"Version":"2012-10-17","Statement":[` + statements + `]}`
	if _, err := c.PutUserPolicy(s.Context(), &iam.PutUserPolicyInput{UserName: &name, PolicyName: aws.String("p"), PolicyDocument: &policy}); err != nil {
		s.Fatal(err)
	}
	key, err := c.CreateAccessKey(s.Context(), &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		s.Fatal(err)
	}
	own := *s.clients
	own.Keys = aws.Credentials{AccessKeyID: *key.AccessKey.AccessKeyId, SecretAccessKey: *key.AccessKey.SecretAccessKey}
	return &stage{s.T, &own, s.place}
}

// unsigned makes a request without credentials.
func (s *stage) unsigned(method, at string) answer {
	s.Helper()
	if !strings.HasPrefix(at, "http") {
		at = s.place.Endpoint + at
	}
	req, err := http.NewRequestWithContext(s.Context(), method, at, http.NoBody)
	if err != nil {
		s.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.Fatal(err)
	}
	defer resp.Body.Close()
	var b bytes.Buffer
	_, _ = b.ReadFrom(resp.Body)
	return answer{resp.StatusCode, resp.Header, b.Bytes()}
}

func TestRights_guardEveryRequest(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	location := s.kick("GET", "$export?_type=Patient", "")
	file := s.await(location).Output[0].URL
	all := [][2]string{{"GET", "$export"}, {"POST", "$export"}, {"GET", "Patient/$export"}, {"GET", "Group/g/$export"}, {"GET", "Group/g/$davinci-data-export"},
		{"GET", location}, {"GET", file}, {"DELETE", location}}
	wrong := &stage{t, &server.Clients{Keys: aws.Credentials{AccessKeyID: s.clients.Keys.AccessKeyID, SecretAccessKey: "not-the-secret-not-the-secret-not-the-se"}}, s.place}
	unknown := &stage{t, &server.Clients{Keys: aws.Credentials{AccessKeyID: "AKIANOBODYNOBODY0000", SecretAccessKey: "not-the-secret-not-the-secret-not-the-se"}}, s.place}
	nothing := s.user("nothing", s.place.ARN, "healthlake:ReadResource", "healthlake:StartFHIRExportJob", "healthlake:DescribeFHIRExportJob")
	elsewhere := s.user("elsewhere", strings.Replace(s.place.ARN, s.place.Datastore, strings.Repeat("0", 32), 1), "healthlake:*")
	for _, one := range all {
		what := one[0] + " " + one[1]
		s.outcomeOf(what+" without credentials", s.unsigned(one[0], one[1]), http.StatusUnauthorized)
		for who, as := range map[string]*stage{"a wrong secret": wrong, "an unknown key": unknown, "no permission": nothing, "permission for another data store": elsewhere} {
			s.outcomeOf(what+" with "+who, as.send(one[0], one[1], nil, ""), http.StatusForbidden)
		}
	}
	// Each request asks for its own action; the export is the data store's, not its starter's.
	starter := s.user("starter", s.place.ARN, "healthlake:StartFHIRExportJobWithGet")
	reader := s.user("reader", s.place.ARN, "healthlake:DescribeFHIRExportJobWithGet", "healthlake:GetExportedFile")
	ender := s.user("ender", s.place.ARN, "healthlake:CancelFHIRExportJobWithDelete")
	started := starter.kick("GET", "Group/g/$export?_type=Patient", "")
	s.outcomeOf("POST with the permission of GET", starter.send("POST", "$export", nil, ""), http.StatusForbidden)
	s.outcomeOf("polling without permission", starter.send("GET", started, nil, ""), http.StatusForbidden)
	m := reader.await(started)
	if len(m.Output) != 1 || m.RequiresAccessToken == nil || !*m.RequiresAccessToken {
		t.Fatalf("the reader sees %+v", m)
	}
	s.want("the reader's file", reader.lines(m.Output), "Patient/p1", "Patient/p2")
	for who, as := range map[string]*stage{"starter": starter, "ender": ender} {
		s.outcomeOf("a file for the "+who, as.send("GET", m.Output[0].URL, nil, ""), http.StatusForbidden)
	}
	s.outcomeOf("DELETE by the reader", reader.send("DELETE", started, nil, ""), http.StatusForbidden)
	if a := ender.send("DELETE", started, nil, ""); a.status != http.StatusAccepted {
		t.Errorf("DELETE with permission: %d %s", a.status, a.body)
	}
	for _, at := range []string{started, m.Output[0].URL} {
		a := reader.send("GET", at, nil, "")
		if a.status != http.StatusNotFound && a.status != http.StatusGone {
			t.Errorf("GET %s after DELETE: %d", at, a.status)
		}
		s.outcomeOf("after DELETE", a, a.status)
	}
}

// TestRights_areForTypesOfResources: policies with the condition key tarn:ResourceType bound what a caller exports, and
// which files of other callers' exports it may fetch.
func TestRights_areForTypesOfResources(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	actions := []string{"healthlake:StartFHIRExportJobWithGet", "healthlake:StartFHIRExportJobWithPost", "healthlake:GetExportedFile"}
	describe := `{"Effect":"Allow","Action":"healthlake:DescribeFHIRExportJobWithGet","Resource":"*"},`
	allow := fmt.Sprintf(`{"Effect":"Allow","Action":["%s"],"Resource":%q`, strings.Join(actions, `","`), s.place.ARN)
	only := s.userOf("only", describe+allow+`,"Condition":{"StringEquals":{"tarn:ResourceType":["Patient","Organization"]}}}`)
	but := s.userOf("but", describe+allow+`},{"Effect":"Deny","Action":"healthlake:*","Resource":"*","Condition":{"StringEquals":{"tarn:ResourceType":"Observation"}}}`)

	s.want("the system, by one who may have two types", only.exported("GET", "$export", ""), "Patient/p1", "Patient/p2", "Patient/p3", "Organization/o1")
	s.want("patients, by the same", only.exported("POST", "Patient/$export", `{"resourceType":"Parameters"}`), "Patient/p1", "Patient/p2", "Patient/p3")
	s.want("with what they refer to", only.exported("GET", "Patient/$export?includeAssociatedData=_ReferencedResources", ""), "Patient/p1", "Patient/p2", "Patient/p3", "Organization/o1")
	noGroups := s.userOf("noGroups", describe+allow+`},{"Effect":"Deny","Action":"healthlake:*","Resource":"*","Condition":{"StringEquals":{"tarn:ResourceType":["Group","Patient"]}}}`)
	for who, as := range map[string]*stage{"one who may have two types": only, "one who may have no Group": noGroups} {
		for _, at := range []string{"Group/g/$davinci-data-export", "Group/g/$export?_type=Organization", "Group/none/$export"} {
			s.outcomeOf(at+" by "+who, as.send("GET", at, nil, ""), http.StatusForbidden)
		}
	}
	groups := s.userOf("groups", describe+allow+`,"Condition":{"StringEquals":{"tarn:ResourceType":["Group","Patient","Organization"]}}}`)
	s.want("a member attribution list", groups.exported("GET", "Group/g/$davinci-data-export", ""), "Patient/p1", "Patient/p2", "Group/inner", "Group/g", "Organization/o1")
	s.outcomeOf("the name of a patient", noGroups.send("POST", "Patient/$export", map[string]string{"Content-Type": "application/fhir+json"},
		parameters("patient", "valueReference", `{"reference":"Patient/p1"}`)), http.StatusForbidden)
	s.outcomeOf("a filter of a denied type", only.send("GET", "$export?_typeFilter=Observation%3Fcode%3D1", nil, ""), http.StatusForbidden)
	for _, at := range []string{"$export?_type=Patient,Observation", "Patient/$export?_type=Observation"} {
		s.outcomeOf(at, only.send("GET", at, nil, ""), http.StatusForbidden)
		s.outcomeOf(at, but.send("GET", at, nil, ""), http.StatusForbidden)
	}
	s.outcomeOf("a type that is none", s.send("GET", "$export?_type=Nonsense", nil, ""), http.StatusBadRequest)
	for _, line := range but.exported("GET", "$export", "") {
		if strings.HasPrefix(line, "Observation/") {
			t.Errorf("%s is exported to one who may not have it", line)
		}
	}

	// Files of an export that another has started.
	m := s.await(s.kick("GET", "$export", ""))
	a := s.send("DELETE", "Observation/b3", nil, "")
	s.send("DELETE", "Organization/o1", nil, "")
	later := s.await(s.kick("GET", "$export?_since="+strings.ReplaceAll(m.TransactionTime, "+", "%2B"), ""))
	if a.status != http.StatusNoContent || len(later.Deleted) != 2 {
		t.Fatalf("DELETE: %d, then %+v", a.status, later)
	}
	organized := s.await(s.kick("GET", "Patient/$export?organizeOutputBy=Patient", ""))
	patients := s.await(s.kick("GET", "Patient/$export?organizeOutputBy=Patient&_type=Patient", ""))
	status := func(as *stage, f item) int { return as.send("GET", f.URL, nil, "").status }
	for _, f := range append(m.Output, later.Deleted...) {
		ofOnly, ofBut := http.StatusForbidden, http.StatusOK
		if f.Type == "Patient" || f.Type == "Organization" || strings.Contains(f.URL, "/deleted/Organization/") {
			ofOnly = http.StatusOK
		}
		if f.Type == "Observation" || strings.Contains(f.URL, "/deleted/Observation/") {
			ofBut = http.StatusForbidden
		}
		if one, two := status(only, f), status(but, f); one != ofOnly || two != ofBut {
			t.Errorf("%s: %d to one who may have two types, %d to one who may have all but Observation", f.URL, one, two)
		}
	}
	if one, two := status(only, organized.Output[0]), status(but, organized.Output[0]); one != http.StatusForbidden || two != http.StatusForbidden {
		t.Errorf("blocks of all types: %d and %d", one, two)
	}
	if one, two := status(only, patients.Output[0]), status(but, patients.Output[0]); one != http.StatusOK || two != http.StatusOK {
		t.Errorf("blocks of one type: %d and %d", one, two)
	}
	for _, wrong := range []string{"Patient/../Observation/", "Organization//../Observation/"} {
		at := strings.Replace(m.Output[0].URL, "/files/", "/files/"+wrong, 1)
		if a := only.send("GET", at, nil, ""); a.status < 400 || a.status > 499 {
			t.Errorf("%s: %d", at, a.status)
		}
	}
}

func TestQueue_saysWhenItIsFull(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.populate()
	var mu sync.Mutex
	var last string
	var full *answer
	for round := 0; full == nil; round++ {
		if round == 50 {
			t.Fatal("1,500 exports have been started, 30 at a time, and none was refused")
		}
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				a, err := server.SignedWith(t.Context(), s.clients.Keys, "GET", s.place.Endpoint+"$export", nil, nil)
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err != nil:
					t.Error(err)
				case a.Status == http.StatusAccepted:
					last = a.Header.Get("Content-Location")
				default:
					full = &answer{a.Status, a.Header, a.Body}
				}
			})
		}
		all.Wait()
	}
	s.outcomeOf("a full queue", *full, http.StatusTooManyRequests)
	if after, err := strconv.Atoi(full.header.Get("Retry-After")); err != nil || after < 1 || !bytes.Contains(full.body, []byte(`"throttled"`)) {
		t.Errorf("Retry-After %q: %s", full.header.Get("Retry-After"), full.body)
	}
	// What waits says so, and ends in its turn.
	a := s.send("GET", last, map[string]string{"Accept": "application/json"}, "")
	if a.status == http.StatusAccepted && (a.header.Get("X-Progress") != "0% (queued)" || a.header.Get("Retry-After") == "" || a.header.Get("Content-Type") != "application/json") {
		t.Errorf("a queued export: %v %s", a.header, a.body)
	}
	s.await(last)
}
