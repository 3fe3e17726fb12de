package console_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tarn/console"
)

func TestSignIn_tradesTheKeyForASessionInACookie(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	p := s.signIn()
	c := p.cookie("tarn-console")
	if c == nil || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/console/" || c.Secure || len(c.Value) < 43 {
		t.Errorf("cookie %+v", c)
	}
	if want := []string{"GetSessionToken", "GetCallerIdentity"}; !slices.Equal(s.api.asked(), want) {
		t.Errorf("the API was asked %v, not %v", s.api.asked(), want)
	}
	if p := s.get("/console/datastores"); p.StatusCode != http.StatusOK || strings.Contains(p.text, theSecret) {
		t.Errorf("%s", p.Status)
	}
	if p := s.get("/console/signin?next=/console/jobs"); p.Header.Get("Location") != "/console/jobs" {
		t.Errorf("who is signed in is asked to sign in again: %s", p.Status)
	}
}

func TestSignIn_usesASessionThatIsGivenAsItIs(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	p := s.post("/console/signin", url.Values{"access-key": {"ASIAGIVEN"}, "secret": {theSecret}, "token": {"token"}})
	if p.StatusCode != http.StatusSeeOther || slices.Contains(s.api.asked(), "GetSessionToken") {
		t.Errorf("%s, asked %v", p.Status, s.api.asked())
	}
	s.now.pass(time.Hour)
	if p := s.get("/console/datastores"); p.StatusCode != http.StatusSeeOther {
		t.Errorf("the session outlives its hour: %s", p.Status)
	}
}

func TestSignIn_cookieIsSecureBehindHTTPS(t *testing.T) {
	t.Parallel()
	for _, o := range []console.Options{{PublicURL: "https://tarn.example.org"}, {TrustProxy: true}} {
		o.Endpoint, o.Region = "http://127.0.0.1:1", "us-east-1"
		c, err := console.New(o)
		if err != nil {
			t.Fatal(err)
		}
		r, w := request(t, "/console/signin"), record()
		r.Header.Set("X-Forwarded-Proto", "https")
		c.ServeHTTP(w, r)
		if !strings.Contains(w.Header().Get("Set-Cookie"), "; Secure") {
			t.Errorf("%+v: cookie %s", o, w.Header().Get("Set-Cookie"))
		}
	}
}

func TestSignIn_refuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		form   url.Values
		broken string
		status int
		says   string
	}{
		"no secret":      {url.Values{"access-key": {theKey}}, "", http.StatusBadRequest, "Give an access key"},
		"wrong secret":   {url.Values{"access-key": {"AKIAWRONG"}, "secret": {theSecret}}, "", http.StatusForbidden, "is not right"},
		"no token":       {url.Values{"access-key": {"ASIAX"}, "secret": {theSecret}}, "AccessDenied", http.StatusForbidden, "session token"},
		"foreign door":   {url.Values{"access-key": {theKey}, "secret": {theSecret}, "csrf": {"x"}}, "", http.StatusForbidden, "out of date"},
		"service is off": {url.Values{"access-key": {theKey}, "secret": {theSecret}}, "ThrottlingException", http.StatusTooManyRequests, "The API says"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "Clinic")
			if test.broken != "" {
				s.api.broken["GetSessionToken"] = test.broken
			}
			p := s.post("/console/signin", test.form)
			if p.StatusCode != test.status || !strings.Contains(p.text, test.says) {
				t.Errorf("%s:\n%s", p.Status, p.text)
			}
			if p.cookie("tarn-console") != nil || strings.Contains(p.text, theSecret) {
				t.Error("a session was made, or the secret sent back")
			}
		})
	}
}

func TestSignIn_isSlowedDownAfterFailures(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	wrong := func() page {
		return s.post("/console/signin", url.Values{"access-key": {"AKIAWRONG"}, "secret": {"x"}})
	}
	for range console.MaxFailures {
		if p := wrong(); p.StatusCode != http.StatusForbidden {
			t.Fatalf("%s", p.Status)
		}
	}
	asked := len(s.api.asked())
	p := s.post("/console/signin", url.Values{"access-key": {theKey}, "secret": {theSecret}})
	if p.StatusCode != http.StatusTooManyRequests || p.Header.Get("Retry-After") != "600" || len(s.api.asked()) != asked {
		t.Errorf("%s, Retry-After %s; the API was asked %d times more", p.Status, p.Header.Get("Retry-After"), len(s.api.asked())-asked)
	}
	s.now.pass(console.FailureTime)
	s.signIn()
	if p := s.get("/console/datastores"); p.StatusCode != http.StatusOK {
		t.Errorf("after the wait: %s", p.Status)
	}
}

func TestSession_ends(t *testing.T) {
	t.Parallel()
	live := []string{"X-Tarn-Fragment", "live"}
	t.Run("when nobody uses it, although a page refreshes itself", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "Clinic")
		s.signIn()
		for range 2 {
			s.now.pass(console.IdleTime / 2)
			p := s.get("/console/jobs", live...)
			if late := p.StatusCode == http.StatusUnauthorized; late != (s.now.now().Hour() > 0 || s.now.now().Minute() >= 30) {
				t.Errorf("at %v: %s", s.now.now(), p.Status)
			}
		}
		if p := s.get("/console/jobs?datastore=x"); p.Header.Get("Location") != "/console/signin?next=%2Fconsole%2Fjobs%3Fdatastore%3Dx" {
			t.Errorf("%s %s", p.Status, p.Header.Get("Location"))
		}
	})
	t.Run("at its time, however much it is used", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "Clinic")
		s.signIn()
		for s.now.now().Hour() < 12 { // the fake's sessions end at noon
			if p := s.get("/console/jobs"); p.StatusCode != http.StatusOK {
				t.Fatalf("at %v: %s", s.now.now(), p.Status)
			}
			s.now.pass(20 * time.Minute)
		}
		if p := s.get("/console/jobs"); p.StatusCode != http.StatusSeeOther {
			t.Errorf("%s", p.Status)
		}
	})
	t.Run("when the API says so", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "Clinic")
		s.signIn()
		s.api.broken["ListFHIRDatastores"] = "ExpiredTokenException"
		if p := s.get("/console/jobs"); p.Header.Get("Location") != "/console/signin?ended=1&next=%2Fconsole%2Fjobs" {
			t.Errorf("%s %s", p.Status, p.Header.Get("Location"))
		}
		if p := s.get("/console/signin?ended=1"); !strings.Contains(p.text, "has ended") {
			t.Errorf("%s", p.text)
		}
	})
	t.Run("on signing out", func(t *testing.T) {
		t.Parallel()
		s := newSite(t, "Clinic")
		cookie := s.signIn().cookie("tarn-console")
		form := url.Values{"csrf": {csrf(t, s.get("/console/datastores"))}}
		if p := s.send(http.MethodPost, "/console/signout", form); p.Header.Get("Location") != "/console/signin" {
			t.Fatalf("%s", p.Status)
		}
		s.Client = s.browser()
		if p := s.get("/console/datastores", "Cookie", cookie.String()); p.StatusCode != http.StatusSeeOther {
			t.Errorf("the old cookie still opens: %s", p.Status)
		}
	})
}

func TestMemory_isBounded(t *testing.T) {
	t.Parallel()
	s := newSite(t, "Clinic")
	first := s.c.AddSession(s.now.now().Add(time.Hour))
	for i := range console.MaxSessions + 5 {
		s.now.pass(time.Millisecond)
		s.c.AddSession(s.now.now().Add(time.Hour))
		s.c.Failed(string(rune(i)))
	}
	for i := range console.MaxAddrs {
		s.c.Failed(string(rune(100_000 + i)))
	}
	if sessions, addresses := s.c.Remembered(); sessions != console.MaxSessions || addresses != console.MaxAddrs {
		t.Errorf("%d sessions, %d addresses", sessions, addresses)
	}
	if p := s.get("/console/datastores", "Cookie", "tarn-console="+first); p.StatusCode != http.StatusSeeOther {
		t.Errorf("the least recently used session is still there: %s", p.Status)
	}
}

func TestOwnPath_staysInTheConsole(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"/console/jobs?datastore=1": "/console/jobs?datastore=1", "": "/console/", "/": "/console/", "//evil.example/console/": "/console/",
		"https://evil.example/console/": "/console/", "/console/../x": "/console/", `/console/\evil`: "/console/", "javascript:alert(1)": "/console/",
	} {
		if got := console.OwnPath(given); got != want {
			t.Errorf("%q leads to %q, not %q", given, got, want)
		}
	}
}
