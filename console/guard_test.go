package console_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"tarn/console"
)

var update = flag.Bool("update", false, "write golden files anew")

func record() *httptest.ResponseRecorder { return httptest.NewRecorder() }

func request(t *testing.T, path string) *http.Request {
	t.Helper()
	return httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
}

func csrf(t *testing.T, p page) string {
	t.Helper()
	m := regexp.MustCompile(`name="csrf" value="([^"]+)"`).FindStringSubmatch(p.text)
	if m == nil {
		t.Fatalf("no form in the page:\n%s", p.text)
	}
	return m[1]
}

func TestRoutes_areInTheGoldenFile(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, row := range console.Routes() {
		who := "signed in"
		if row.Open {
			who = "anybody"
		}
		b.WriteString(who + "\t" + row.Pattern + "\n")
	}
	if *update {
		if err := os.WriteFile("testdata/routes.golden", []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/routes.golden")
	if err != nil || string(want) != b.String() {
		t.Errorf("the routes changed (%v); if they should, run with -update:\n%s", err, b.String())
	}
}

// paths are all addresses of a method, with ids filled in.
func paths(method string) (out []string) {
	fill := strings.NewReplacer("{id}", dsID, "{job}", jobID, "{$}", "", "{name}", "none")
	for _, row := range console.Routes() {
		if path, ok := strings.CutPrefix(row.Pattern, method+" "); ok {
			out = append(out, fill.Replace(path))
		}
	}
	return out
}

func TestRoutes_nameTheMethodsThatAreAllowed(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	for _, at := range []struct{ method, path, allow string }{
		{http.MethodPut, "/console/", "GET, HEAD"},
		{http.MethodPost, "/console/datastores", "GET, HEAD"},
		{http.MethodDelete, "/console/datastores/" + dsID, "GET, HEAD"},
		{http.MethodDelete, "/console/export", "GET, HEAD, POST"},
		{http.MethodGet, "/console/export/policies", "POST"},
		{http.MethodHead, "/console/signout", "POST"},
		{http.MethodGet, "/console/datastores/" + dsID + "/export/" + jobID + "/cancel", "POST"},
		{http.MethodGet, "/console/nothing", ""},
	} {
		want := http.StatusMethodNotAllowed
		if at.allow == "" {
			want = http.StatusNotFound
		}
		if p := s.send(at.method, at.path, nil); p.StatusCode != want || p.Header.Get("Allow") != at.allow {
			t.Errorf("%s %s: %s, Allow: %q; want %d, %q", at.method, at.path, p.Status, p.Header.Get("Allow"), want, at.allow)
		}
	}
}

func TestForms_needTheirTokenAndTheirOrigin(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	good := csrf(t, s.get("/console/datastores"))
	asked := len(s.api.asked())
	for _, path := range paths(http.MethodPost) {
		for what, send := range map[string]func() page{
			"no token":      func() page { return s.send(http.MethodPost, path, url.Values{"name": {"Clinic"}}) },
			"another token": func() page { return s.send(http.MethodPost, path, url.Values{"csrf": {good[1:] + "x"}}) },
			"another site": func() page {
				return s.send(http.MethodPost, path, url.Values{"csrf": {good}}, "Sec-Fetch-Site", "cross-site")
			},
			"another origin": func() page {
				return s.send(http.MethodPost, path, url.Values{"csrf": {good}}, "Origin", "http://evil.example")
			},
			"too long": func() page {
				return s.send(http.MethodPost, path, url.Values{"csrf": {good}, "name": {strings.Repeat("x", 1<<17)}})
			},
		} {
			if p := send(); p.StatusCode != http.StatusForbidden || !strings.Contains(p.text, "nothing was done") {
				t.Errorf("%s, %s: %s", path, what, p.Status)
			}
		}
	}
	if n := len(s.api.asked()); n != asked {
		t.Errorf("the API was called: %v", s.api.asked()[asked:])
	}
}

func TestPages_askForASignInFirst(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, path := range paths(method) {
			if strings.HasSuffix(path, "/signin") || strings.Contains(path, "/assets/") {
				continue
			}
			if p := s.send(method, path, nil); p.StatusCode != http.StatusSeeOther || !strings.HasPrefix(p.Header.Get("Location"), "/console/signin") {
				t.Errorf("%s %s: %s", method, path, p.Status)
			}
		}
	}
	if len(s.api.asked()) > 0 {
		t.Errorf("the API was called: %v", s.api.asked())
	}
}

var (
	tags   = regexp.MustCompile(`<[a-zA-Z][^>]*>`)
	quoted = regexp.MustCompile(`"[^"]*"`)
	inline = regexp.MustCompile(`(?i)^<script>|^<style|\sstyle=|\son[a-z]+=|^<img src=x`)
	loads  = regexp.MustCompile(`(?:src|href)="(/console/assets/[^"]+)"`)
)

func TestPages_escapeWhatOthersNamed(t *testing.T) {
	t.Parallel()
	s := newSite(t, hostile)
	s.signIn()
	s.api.answers["preflight"] = `{"findings":[{"field":"` + strings.ReplaceAll(hostile, `"`, `\"`) + `","problem":"<script>alert(1)</script>","setting":"<b>","remedy":"<i>"}]}`
	pages := map[string]page{}
	for _, path := range append(paths(http.MethodGet), "/console/nowhere", "/console/datastores?gone="+url.QueryEscape(hostile),
		"/console/jobs?datastore="+url.QueryEscape(hostile), "/console/export?datastore="+dsID+"&from="+jobID) {
		pages[path] = s.get(path)
	}
	for _, do := range []string{"check", "export", "policies"} {
		pages["export "+do] = s.post("/console/export", url.Values{"do": {do}, "datastore": {hostile}, "bucket": {hostile}, "prefix": {hostile}, "role-mode": {"new"}, "role-name": {hostile}, "job-name": {hostile}})
	}
	pages["findings"] = s.post("/console/export", full(url.Values{"do": {"check"}}))
	pages["create"] = s.post("/console/datastores/create", url.Values{"name": {""}})
	s.api.broken["DescribeFHIRDatastore"] = "ResourceNotFoundException"
	pages["failure"] = s.get("/console/datastores/" + dsID)
	for path, p := range pages {
		for _, tag := range tags.FindAllString(p.text, -1) {
			if inline.MatchString(quoted.ReplaceAllString(tag, `""`)) || strings.Contains(tag, "javascript:") {
				t.Errorf("%s (%s) has the tag %s", path, p.Status, tag)
			}
		}
		if p.StatusCode >= 500 {
			t.Errorf("%s: %s", path, p.Status)
		}
	}
	if p := pages["findings"]; !strings.Contains(p.text, "&lt;script&gt;alert(1)") {
		t.Errorf("the finding is not shown:\n%s", p.text)
	}
	if p := pages["failure"]; p.StatusCode != http.StatusNotFound || !strings.Contains(p.text, "request-1") {
		t.Errorf("a failure without its request id: %s\n%s", p.Status, p.text)
	}
}

func TestPages_carryTheirHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	check := func(path string, p page) {
		t.Helper()
		policy := p.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(policy, part) || strings.Contains(policy, "unsafe") {
				t.Errorf("%s: policy %q", path, policy)
			}
		}
		if p.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: no nosniff", path)
		}
	}
	door := s.get("/console/signin")
	check("sign-in", door)
	s.signIn()
	for _, path := range paths(http.MethodGet) {
		p := s.get(path)
		check(path, p)
		if p.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s may be stored: %q", path, p.Header.Get("Cache-Control"))
		}
	}
	found := loads.FindAllStringSubmatch(door.text, -1)
	if len(found) < 3 {
		t.Fatalf("the page loads %v", found)
	}
	for _, m := range found {
		p := s.get(m[1])
		check(m[1], p)
		if p.StatusCode != http.StatusOK || !strings.Contains(p.Header.Get("Cache-Control"), "immutable") || len(p.text) == 0 {
			t.Errorf("%s: %s, %s", m[1], p.Status, p.Header.Get("Cache-Control"))
		}
	}
}

func TestFragments_areThePartThatChanges(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	for _, path := range []string{"/console/jobs", "/console/datastores", "/console/datastores/" + dsID,
		"/console/datastores/" + dsID + "/export/" + jobID, "/console/datastores/" + dsID + "/import/" + jobID} {
		p := s.get(path, "X-Tarn-Fragment", "live")
		if p.StatusCode != http.StatusOK || !strings.Contains(p.text, `id="live"`) || strings.Contains(p.text, "<html") {
			t.Errorf("%s: %s\n%s", path, p.Status, p.text)
		}
	}
}

func TestFormats(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want string }{
		{console.FormatBytes(0), "0 B"}, {console.FormatBytes(999), "999 B"}, {console.FormatBytes(1500), "1.5 kB"},
		{console.FormatBytes(999_999), "1.0 MB"}, {console.FormatBytes(5_000_000_000_000_000_000), "5000.0 PB"},
		{console.FormatCount(0), "0"}, {console.FormatCount(999), "999"}, {console.FormatCount(1_234_567), "1,234,567"}, {console.FormatCount(-1000), "-1,000"},
		{console.FormatDuration(5 * time.Millisecond), "5 ms"}, {console.FormatDuration(1500 * time.Millisecond), "1.5 s"},
		{console.FormatDuration(61 * time.Second), "1 min 1 s"}, {console.FormatDuration(90 * time.Minute), "1 h 30 min"},
		{console.Tone("COMPLETED"), "ok"}, {console.Tone("FAILED"), "bad"}, {console.Tone("COMPLETED_WITH_ERRORS"), "warn"}, {console.Tone("new"), "off"},
	} {
		if test.got != test.want {
			t.Errorf("%q, not %q", test.got, test.want)
		}
	}
}

func TestDatastorePage_saysWhyJobsAreMissing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	s.api.broken["ListFHIRImportJobs"] = "AccessDeniedException"
	p := s.get("/console/datastores/" + dsID)
	if p.StatusCode != http.StatusOK || !strings.Contains(p.text, "Jobs are missing here: The API says") || !strings.Contains(p.text, "/export/"+jobID) {
		t.Errorf("%s\n%s", p.Status, p.text)
	}
}

func TestJobPage_doesNotCountTheManifestAsAFile(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	s.signIn()
	p := s.get("/console/datastores/" + dsID + "/export/" + jobID)
	if !strings.Contains(p.text, "1 file, 12 B") || !strings.Contains(p.text, "manifest.json") {
		t.Errorf("%s\n%s", p.Status, p.text)
	}
}
