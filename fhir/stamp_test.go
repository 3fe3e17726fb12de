package fhir_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"tarn/fhir"
)

const when = fhir.Instant(1767225600123) // 2026-01-01T00:00:00.123Z

func TestAppendStamped_splices(t *testing.T) {
	t.Parallel()
	const meta = `"versionId":"7","lastUpdated":"2026-01-01T00:00:00.123Z"`
	cases := []struct{ name, given, want string }{
		{"nothing there", `{"resourceType":"Patient"}`, `{"resourceType":"Patient","id":"x-1","meta":{` + meta + `}}`},
		{"behind resourceType", `{"active":true,"resourceType":"Patient","a":1.0}`,
			`{"active":true,"resourceType":"Patient","id":"x-1","meta":{` + meta + `},"a":1.0}`},
		{"id replaced in place", `{"id":"old","resourceType":"Patient","a":[]}`,
			`{"id":"x-1","meta":{` + meta + `},"resourceType":"Patient","a":[]}`},
		{"escaped names and id", `{"\u0069d":"\u006fld","\u0072esourceType":"P\u0061tient","m\u0065ta":{"version\u0049d":"1"}}`,
			`{"\u0069d":"x-1","\u0072esourceType":"P\u0061tient","m\u0065ta":{"lastUpdated":"2026-01-01T00:00:00.123Z","version\u0049d":"7"}}`},
		{"empty meta", `{"resourceType":"Patient","meta":{},"id":"a"}`, `{"resourceType":"Patient","meta":{` + meta + `},"id":"x-1"}`},
		{"meta with a profile", `{"resourceType":"Patient","meta":{"profile":["p"]}}`,
			`{"resourceType":"Patient","id":"x-1","meta":{` + meta + `,"profile":["p"]}}`},
		{"only a version", `{"resourceType":"Patient","meta":{"tag":[],"versionId":"123"}}`,
			`{"resourceType":"Patient","id":"x-1","meta":{"lastUpdated":"2026-01-01T00:00:00.123Z","tag":[],"versionId":"7"}}`},
		{"both, turned round", `{"meta":{"lastUpdated":"x","versionId":"y"},"resourceType":"Patient"}`,
			`{"meta":{"lastUpdated":"2026-01-01T00:00:00.123Z","versionId":"7"},"resourceType":"Patient","id":"x-1"}`},
		{"deeper ones stay", `{"resourceType":"Patient","contained":[{"resourceType":"Patient","id":"p","meta":{"versionId":"1"}}]}`,
			`{"resourceType":"Patient","id":"x-1","meta":{` + meta + `},"contained":[{"resourceType":"Patient","id":"p","meta":{"versionId":"1"}}]}`},
		{"white space", "\n{ \"resourceType\" : \"Patient\",\n\t\"text\": \" a  b \" }\r\n",
			`{"resourceType":"Patient","id":"x-1","meta":{` + meta + `},"text":" a  b "}`},
		{"numbers and escapes", `{"resourceType":"Patient","a":[1.0,0.047821600000000004,123456789012345678,1E-7,-0],"b":"\u00e4\/é"}`,
			`{"resourceType":"Patient","id":"x-1","meta":{` + meta + `},"a":[1.0,0.047821600000000004,123456789012345678,1E-7,-0],"b":"\u00e4\/é"}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := fhir.NewParser(fhir.Limits{})
			r, err := p.Parse([]byte(c.given))
			if err != nil {
				t.Fatal(err)
			}
			got := r.AppendStamped([]byte("before"), "x-1", 7, when)
			if string(got) != "before"+c.want {
				t.Errorf("\ngot  %s\nwant before%s", got, c.want)
			}
			checkStamped(t, p, []byte(c.given), "x-1", 7, when)
		})
	}
}

func TestAppendStamped_writesJSONForAnyID(t *testing.T) {
	t.Parallel()
	p := fhir.NewParser(fhir.Limits{})
	r, err := p.Parse([]byte(`{"resourceType":"Basic"}`))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", `"`, "a\\b", "\n\t\r\x00", "é", "\xff", "\u2028"} {
		out := r.AppendStamped(nil, id, math.MaxUint64, when)
		if !jsontext.Value(out).IsValid() || len(out) > r.StampedSize(id, math.MaxUint64, when) {
			t.Errorf("id %q gives %s", id, out)
		}
	}
}

// rest is a resource's text without id, meta.versionId, meta.lastUpdated and an empty meta, read by jsontext.
func rest(t *testing.T, data []byte) string {
	t.Helper()
	var out bytes.Buffer
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	var object func(path string)
	object = func(path string) {
		if _, err := decoder.ReadToken(); err != nil {
			t.Fatal(err)
		}
		for decoder.PeekKind() != '}' {
			name, err := decoder.ReadToken()
			if err != nil {
				t.Fatal(err)
			}
			at := path + "/" + name.String()
			if at == "/meta" {
				object(at)
				continue
			}
			value, err := decoder.ReadValue()
			if err != nil {
				t.Fatal(err)
			}
			if at == "/id" || at == "/meta/versionId" || at == "/meta/lastUpdated" {
				continue
			}
			if err := value.Compact(); err != nil {
				t.Fatal(err)
			}
			out.WriteString(at + "=" + string(value) + "\n")
		}
		if _, err := decoder.ReadToken(); err != nil {
			t.Fatal(err)
		}
	}
	object("")
	return out.String()
}

// checkStamped holds what stamping promises of any resource.
func checkStamped(t *testing.T, p *fhir.Parser, given []byte, id string, version uint64, at fhir.Instant) {
	t.Helper()
	r, err := p.Parse(given)
	if err != nil {
		t.Fatal(err)
	}
	compact := jsontext.Value(bytes.Clone(given))
	if err := compact.Compact(); err != nil || !bytes.Equal(compact, r.Bytes()) {
		t.Fatalf("bytes %s, want %s (%v)", r.Bytes(), compact, err)
	}
	out := r.AppendStamped(nil, id, version, at)
	if size := r.StampedSize(id, version, at); size != len(out) {
		t.Fatalf("%d bytes, StampedSize says %d: %s", len(out), size, out)
	}
	again, err := p.Parse(out)
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if again.ID() != id || again.LastUpdated() != at.String() || again.Type() != r.Type() {
		t.Fatalf("id %q, lastUpdated %q, type %q", again.ID(), again.LastUpdated(), again.Type())
	}
	if twice := again.AppendStamped(nil, id, version, at); !bytes.Equal(twice, out) {
		t.Fatalf("stamped again: %s, before %s", twice, out)
	}
	borrowed, err := p.Borrow(given)
	if err != nil || !bytes.Equal(borrowed.AppendStamped(nil, id, version, at), out) {
		t.Fatalf("borrowed: %v", err)
	}
	if got, want := rest(t, out), rest(t, given); got != want {
		t.Fatalf("stamping changed more than it may:\n%s\nwas\n%s", got, want)
	}
}

func FuzzStamp(f *testing.F) {
	for _, members := range []string{``, `,"id":"a"`, `,"meta":{}`, `,"meta":{"versionId":"a","tag":[{}]},"id":"b"`,
		` , "meta" : { "lastUpdated":"x" , "source":"\u00e4" }`, `,"m\u0065ta":{"version\u0049d":""},"i\u0064":"\u0061"`} {
		f.Add([]byte(`{"resourceType":"Patient"`+members+`}`), "id-1", uint64(1), int64(when))
		f.Add([]byte("{\n"+`"active":true`+members+`, "resourceType" :"Basic"}`), "2", uint64(math.MaxUint64), int64(0))
	}
	p := fhir.NewParser(fhir.Limits{})
	f.Fuzz(func(t *testing.T, data []byte, id string, version uint64, at int64) {
		if _, err := p.Parse(data); err != nil {
			return
		}
		if !fhir.ValidID(id) {
			id = "x"
		}
		checkStamped(t, p, data, id, version, fhir.Instant(at))
	})
}
