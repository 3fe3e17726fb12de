package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// tree writes files, by their paths, below a new folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func zipped(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGather_findsInputsAndNothingElse(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a.ndjson": "1", "deep/er/b.ndjson": "22", "c.ndjson.gz": "", "d.json": "", "e.ndjson.partial": ""})
	files, err := gather([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		names = append(names, f.name)
	}
	if got := strings.Join(names, " "); got != "a.ndjson c.ndjson deep/er/b.ndjson" {
		t.Errorf("found %q", got)
	}
	if _, err := gather([]string{dir, filepath.Join(dir, "a.ndjson")}); exitCode(err) != exitUsage || !strings.Contains(messageOf(err), "one object") {
		t.Errorf("one file twice: %v", err)
	}
	for name, arg := range map[string]string{"no input": filepath.Join(dir, "d.json"), "empty folder": t.TempDir(), "nothing there": filepath.Join(dir, "x")} {
		if _, err := gather([]string{arg}); exitCode(err) != exitUsage || hintOf(err) == "" {
			t.Errorf("%s: %v, hint %q", name, err, hintOf(err))
		}
	}
}

func TestSend_unpacksAndCountsLines(t *testing.T) {
	t.Parallel()
	dir := tree(t, map[string]string{"a.ndjson": "one\ntwo\n", "b.ndjson": "no end", "empty.ndjson": "", "z.ndjson.gz": zipped(t, "x\ny\nz")})
	files, err := gather([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	got := map[string]string{}
	c := answering(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		got[r.URL.Path] = string(b)
	})
	s, _, _ := quiet()
	u, err := send(t.Context(), s, c, "bucket", "up/", files)
	if err != nil {
		t.Fatal(err)
	}
	if u.lines != 6 || u.bytes != 8+6+5 || u.uri() != "s3://bucket/up/" {
		t.Errorf("upload %+v", u)
	}
	for path, want := range map[string]string{"/bucket/up/a.ndjson": "one\ntwo\n", "/bucket/up/b.ndjson": "no end", "/bucket/up/empty.ndjson": "", "/bucket/up/z.ndjson": "x\ny\nz"} {
		if text, ok := got[path]; !ok || text != want {
			t.Errorf("%s is %q", path, text)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "tarn-import-*.ndjson")); len(left) > 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

func TestSend_stopsAtTheFirstFailure(t *testing.T) {
	t.Parallel()
	s, _, _ := quiet()
	refusing := answering(t, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })
	dir := tree(t, map[string]string{"a.ndjson": "1\n", "b.ndjson": "2\n"})
	files, err := gather([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(t.Context(), s, refusing, "b", "", files); exitCode(err) != exitDenied {
		t.Errorf("refused: %v", err)
	}
	damaged := tree(t, map[string]string{"a.ndjson.gz": zipped(t, strings.Repeat("x", 5000))[:40]})
	if files, err = gather([]string{damaged}); err != nil {
		t.Fatal(err)
	}
	if _, err := send(t.Context(), s, refusing, "b", "", files); exitCode(err) != exitFailed || !strings.Contains(messageOf(err), "cannot be unpacked") {
		t.Errorf("damaged: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := send(ctx, s, refusing, "b", "", files); err == nil {
		t.Error("a cancelled upload has no error")
	}
}

func TestFailures_areReadAsHealthLakeWritesThem(t *testing.T) {
	t.Parallel()
	line := `{"lineId":7,"UpdateResourceResponse":{"jsonBlob":{"resourceType":"OperationOutcome","issue":[{"severity":"error","code":"invalid","diagnostics":"must be a date","expression":["Patient.birthDate"]},{"details":{"text":"and more"}}]},"statusCode":400}}`
	log := strings.Repeat(line+"\n", 12) + "broken"
	all, err := readFailures(strings.NewReader(log), "p.ndjson", nil)
	if err != nil || len(all) != maxFailures {
		t.Fatalf("%d failures, %v", len(all), err)
	}
	if want := (failure{"p.ndjson", 7, "Patient.birthDate: must be a date; and more"}); all[0] != want {
		t.Errorf("failure %+v", all[0])
	}
	all, err = readFailures(strings.NewReader("broken"), "p.ndjson", nil)
	if err != nil || len(all) != 1 || all[0].Reason == "" {
		t.Errorf("a broken log: %v, %v", all, err)
	}
}

func TestNumbers_areWrittenForPeople(t *testing.T) {
	t.Parallel()
	for got, want := range map[string]string{
		comma(0): "0", comma(999): "999", comma(1000): "1,000", comma(int64(1234567)): "1,234,567",
		size(999): "999 B", size(1500): "1.5 kB", size(999_600): "1.0 MB", size(123_456_789): "123 MB", size(5_000_000_000): "5.0 GB",
		plural(1, "file"): "1 file", plural(2000, "file"): "2,000 files", cut("abcdef\n", 4): "abc…", cut("äöü", 3): "äöü",
		quote("a-b/c.d"): "a-b/c.d", quote("a b"): "'a b'", quote("it's"): `'it'\''s'`, quote(""): "''",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
