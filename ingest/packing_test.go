package ingest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"tarn/ingest"
	"tarn/job"
	"tarn/kv/kvtest"
)

func pack(t *testing.T, kind, text string) string {
	t.Helper()
	var b bytes.Buffer
	if kind == "gz" {
		// Two members, as when files were joined.
		for _, half := range []string{text[:len(text)/3], text[len(text)/3:]} {
			z := gzip.NewWriter(&b)
			_, err := z.Write([]byte(half))
			must(t, errors.Join(err, z.Close()))
		}
		return b.String()
	}
	z, err := zstd.NewWriter(&b)
	must(t, err)
	_, err = z.Write([]byte(text))
	must(t, errors.Join(err, z.Close()))
	return b.String()
}

// lines are resources with one bad line among them.
func packedLines(n int) string {
	var b strings.Builder
	for i := range n {
		if i == n/2 {
			b.WriteString("{\"resourceType\":\"Nonsense\"}\n")
		}
		fmt.Fprintf(&b, "{\"resourceType\":\"Patient\",\"id\":\"p%d\",\"active\":true,\"name\":[{\"family\":%q}]}\n", i, strings.Repeat("x", 1+i%200))
	}
	return b.String()
}

func TestPacked_inputIsReadAsIfItWerePlain(t *testing.T) {
	t.Parallel()
	want := newWorld(t)
	text := packedLines(3000)
	want.cloud.set("in/Patient.ndjson", text)
	plain := want.start()
	want.work()
	for _, kind := range []string{"gz", "zst"} {
		w := newWorld(t)
		w.cloud.set("in/Patient.ndjson."+kind, pack(t, kind, text))
		w.cloud.set("in/other.ndjson.zst.gz", "not an input")
		rec := w.start()
		w.faults.Hook(func(x kvtest.Write) kvtest.Fault { // each stop in the middle is gone on from
			switch x.N % 9 {
			case 4:
				return kvtest.Before
			case 8:
				return kvtest.After
			}
			return kvtest.NoFault
		})
		w.work()
		got := w.describe(rec)
		if got.State != job.CompletedWithErrors || got.Progress.Resources != 3000 || got.Progress.Failed != 1 || got.Progress.BytesTotal != 0 {
			t.Fatalf("%s: %s %q %+v", kind, got.State, got.Message, got.Progress)
		}
		if d := cmp.Diff(want.versions(), w.versions()); d != "" {
			t.Errorf("%s: %s", kind, d)
		}
		for name, log := range want.output(plain) {
			if strings.HasPrefix(name, "FAILURE/") {
				if d := cmp.Diff(log, w.output(rec)[name+"."+kind]); d != "" {
					t.Errorf("%s: %s: %s", kind, name, d)
				}
			}
		}
	}
}

func TestPacked_inputThatIsDamagedFailsTheJobAndNamesTheFile(t *testing.T) {
	t.Parallel()
	sound := map[string]string{"gz": pack(t, "gz", packedLines(500)), "zst": pack(t, "zst", packedLines(500))}
	for name, text := range map[string]string{
		"a.ndjson.gz": "nonsense", "b.ndjson.zst": "nonsense", "c.ndjson.gz": sound["gz"][:len(sound["gz"])/2], "d.ndjson.zst": sound["zst"][:len(sound["zst"])/2],
		"e.ndjson.gz": sound["zst"], "f.ndjson.gz": "", "g.ndjson.gz": sound["gz"] + "tail",
	} {
		w := newWorld(t)
		w.cloud.set("in/"+name, text)
		rec := w.start()
		w.work()
		got := w.describe(rec)
		if name == "f.ndjson.gz" && got.State == job.Completed {
			continue // nothing is no line
		}
		if got.State != job.Failed || !strings.Contains(got.Message, "s3://bucket/in/"+name+" cannot be unpacked") {
			t.Errorf("%s: %s %q", name, got.State, got.Message)
		}
	}
}

// Little that unpacks to much is not passed over to its end when nobody wants that any more.
func TestPacked_passingOverEndsWithItsContext(t *testing.T) {
	t.Parallel()
	packed := pack(t, "gz", strings.Repeat(" ", 8<<20))
	ctx, stop := context.WithCancel(t.Context())
	must(t, ingest.PassOverForTest(ctx, io.NopCloser(strings.NewReader(packed)), 8<<20))
	stop()
	if err := ingest.PassOverForTest(ctx, io.NopCloser(strings.NewReader(packed)), 8<<20); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
