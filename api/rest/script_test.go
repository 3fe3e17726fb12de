package rest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"tarn/access/sigv4"
	"tarn/api/client"
	"tarn/api/rest"
	"tarn/app"
	"tarn/kv/kvtest"
)

// databases is the PostgreSQL of all servers, where kvtest.Engine asks for it.
var databases kvtest.Postgres

func TestMain(m *testing.M) {
	code := m.Run()
	databases.Stop()
	os.Exit(code)
}

var update = flag.Bool("update", false, "write the golden files anew")

// face is a running server with one data store.
type face struct {
	app  *app.App
	base string // of the data store
	dir  string // of the data
}

func newFace(t testing.TB) *face {
	t.Helper()
	dir := t.TempDir()
	cfg := app.Config{DataDir: dir, Listen: "127.0.0.1:0"}
	if kvtest.PostgresWanted(t) {
		cfg.DatabaseURL = databases.Database(t)
	}
	a, err := app.Open(t.Context(), cfg)
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done, ready := make(chan error, 1), make(chan struct{})
	go func() { done <- a.Run(ctx, func() { close(ready) }) }()
	<-ready
	t.Cleanup(func() {
		cancel()
		must(t, <-done)
		must(t, a.Close())
	})
	c, err := client.New(client.Config{Endpoint: a.URL(), Region: "us-east-1", Credentials: client.Credentials{AccessKeyID: a.Root().AccessKeyID, Secret: a.Root().Secret}})
	must(t, err)
	d, err := c.CreateDatastore(t.Context(), "scripts", false)
	must(t, err)
	return &face{app: a, base: d.DatastoreEndpoint, dir: dir}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// send makes one signed request below the base.
func (f *face) send(t testing.TB, method, at string, header http.Header, body []byte) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, f.base+strings.TrimPrefix(at, f.base), bytes.NewReader(body))
	must(t, err)
	for k, v := range header {
		r.Header[k] = v
	}
	root := f.app.Root()
	sigv4.Sign(r, sigv4.Credentials{AccessKeyID: root.AccessKeyID, Secret: root.Secret}, "healthlake", "us-east-1", fmt.Sprintf("%x", sha256.Sum256(body)), time.Now())
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	got, err := io.ReadAll(resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	return resp, got
}

// The scripts: a request line, headers, an empty line and a body where there is one; then "=> STATUS" and what must hold
// of the answer: "Header: GLOB", "~ TEXT" (the body contains it), "!~ TEXT" (it does not), "= TEXT" (it is that). In a
// request $NAME stands for what "? NAME REGEXP-FREE-PREFIX" kept: the text of the body behind the prefix up to a quote; or
// for what "?? NAME HEADER" kept: an address in a header, below the base. A request line that ends with "until it is done"
// is sent again while the answer is 202.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*.txt")
	must(t, err)
	if len(files) == 0 {
		t.Fatal("no scripts")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			must(t, err)
			s := &script{f: newFace(t), t: t, kept: map[string]string{}}
			s.kept["BASE"] = s.f.base
			s.lines = strings.Split(string(text), "\n")
			s.run()
		})
	}
}

// short is a body as far as a person reads it.
func short(body []byte) []byte { return body[:min(len(body), 3000)] }

type script struct {
	f     *face
	t     *testing.T
	lines []string
	at    int
	kept  map[string]string
}

func (s *script) expand(text string) string {
	for k, v := range s.kept {
		text = strings.ReplaceAll(text, "$"+k, v)
	}
	return text
}

func (s *script) run() {
	for s.at < len(s.lines) {
		line := strings.TrimSpace(s.lines[s.at])
		if line == "" || strings.HasPrefix(line, "#") {
			s.at++
			continue
		}
		s.step()
	}
}

// step is one request and what must hold of its answer.
func (s *script) step() {
	first := s.at + 1
	method, target, ok := strings.Cut(s.expand(s.lines[s.at]), " ")
	if !ok {
		s.t.Fatalf("line %d: %q is no request", first, s.lines[s.at])
	}
	header := http.Header{}
	var body []string
	inBody := false
	for s.at++; s.at < len(s.lines) && !strings.HasPrefix(s.lines[s.at], "=> "); s.at++ {
		line := s.expand(s.lines[s.at])
		switch {
		case !inBody && line == "":
			inBody = true
		case inBody:
			body = append(body, line)
		default:
			name, value, _ := strings.Cut(line, ": ")
			header.Add(name, value)
		}
	}
	if s.at == len(s.lines) {
		s.t.Fatalf("line %d: the request has no => STATUS", first)
	}
	text := strings.TrimSpace(strings.Join(body, "\n"))
	if text != "" && header.Get("Content-Type") == "" {
		header.Set("Content-Type", "application/fhir+json")
	}
	target, again := strings.CutSuffix(target, " until it is done")
	resp, got := s.f.send(s.t, method, target, header, []byte(text))
	for again && resp.StatusCode == http.StatusAccepted {
		resp, got = s.f.send(s.t, method, target, header, []byte(text))
	}
	want, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(s.lines[s.at], "=> ")))
	if err != nil || resp.StatusCode != want {
		s.t.Errorf("line %d: %s %s: status %d, want %s\n%s", first, method, target, resp.StatusCode, s.lines[s.at], short(got))
	}
	for s.at++; s.at < len(s.lines); s.at++ {
		line := s.expand(s.lines[s.at])
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			return
		case strings.HasPrefix(line, "~ "):
			if !strings.Contains(string(got), line[2:]) {
				s.t.Errorf("line %d: the body lacks %q:\n%s", s.at+1, line[2:], short(got))
			}
		case strings.HasPrefix(line, "!~ "):
			if strings.Contains(string(got), line[3:]) {
				s.t.Errorf("line %d: the body has %q:\n%s", s.at+1, line[3:], short(got))
			}
		case line == "=" || strings.HasPrefix(line, "= "):
			if string(got) != strings.TrimPrefix(line[1:], " ") {
				s.t.Errorf("line %d: the body is\n%s\nwant\n%s", s.at+1, got, line[2:])
			}
		case strings.HasPrefix(line, "?? "):
			name, header, _ := strings.Cut(line[3:], " ")
			s.kept[name] = strings.TrimPrefix(resp.Header.Get(header), s.f.base)
		case strings.HasPrefix(line, "? "):
			name, prefix, _ := strings.Cut(line[2:], " ")
			_, rest, ok := strings.Cut(string(got), prefix)
			if !ok {
				s.t.Fatalf("line %d: the body lacks %q:\n%s", s.at+1, prefix, short(got))
			}
			s.kept[name], _, _ = strings.Cut(rest, `"`)
		default:
			name, glob, _ := strings.Cut(line, ": ")
			value := resp.Header.Get(name)
			if ok, err := path.Match(strings.ReplaceAll(glob, "/", "|"), strings.ReplaceAll(value, "/", "|")); err != nil || !ok {
				s.t.Errorf("line %d: %s is %q, want %q", s.at+1, name, value, glob)
			}
		}
	}
}

func TestRoutes_areTheGoldenTable(t *testing.T) {
	t.Parallel()
	got := rest.RoutesForTest()
	const file = "testdata/routes.golden"
	if *update {
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if got != string(want) {
		t.Errorf("the routes are\n%s\nwant\n%s\n(go test ./api/rest -update writes them anew)", got, want)
	}
}

func TestBody_overTheLimitIsRefusedAndNothingStored(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	pad := strings.Repeat("x", 5_000_000)
	for name, body := range map[string]string{
		"over by content": `{"resourceType":"Patient","id":"big","language":"` + pad + `"}`,
		"over by spaces":  `{"resourceType":"Patient","id":"big"` + strings.ReplaceAll(pad, "x", " ") + `}`,
	} {
		resp, got := f.send(t, http.MethodPut, "Patient/big", http.Header{"Content-Type": {"application/fhir+json"}}, []byte(body))
		if resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(got), "OperationOutcome") || !strings.Contains(string(got), "5000000") && !strings.Contains(string(got), "5,000,000") {
			t.Errorf("%s: %d %.300s", name, resp.StatusCode, got)
		}
		if resp, _ := f.send(t, http.MethodGet, "Patient/big", nil, nil); resp.StatusCode != http.StatusNotFound {
			t.Errorf("%s: something was stored (%d)", name, resp.StatusCode)
		}
	}
	exact := `{"resourceType":"Patient","id":"big","language":"`
	exact += strings.Repeat("y", 5_000_000-len(exact)-2) + `"}`
	if resp, got := f.send(t, http.MethodPut, "Patient/big", http.Header{"Content-Type": {"application/fhir+json"}}, []byte(exact)); resp.StatusCode != http.StatusCreated {
		t.Errorf("5,000,000 bytes exactly: %d %.300s", resp.StatusCode, got)
	}
}

func TestNesting_over512IsRefused(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	deep := func(n int) string { // each extension is two levels, the resource one, and so is a Period
		value := `"valueString":"x"`
		if n%2 == 0 {
			value = `"valuePeriod":{"start":"2020"}`
		}
		return `{"resourceType":"Basic","id":"d","code":{"text":"x"},` + strings.Repeat(`"extension":[{"url":"u",`, (n-1)/2) + value +
			strings.Repeat(`}]`, (n-1)/2) + `}`
	}
	for n, want := range map[int]int{512: http.StatusCreated, 513: http.StatusBadRequest, 100_000: http.StatusBadRequest} {
		id := fmt.Sprintf("d%d", n)
		body := strings.Replace(deep(n), `"id":"d"`, `"id":"`+id+`"`, 1)
		resp, got := f.send(t, http.MethodPut, "Basic/"+id, http.Header{"Content-Type": {"application/fhir+json"}}, []byte(body))
		if resp.StatusCode != want {
			t.Errorf("%d deep: %d, want %d: %.300s", n, resp.StatusCode, want, got)
		}
	}
}
