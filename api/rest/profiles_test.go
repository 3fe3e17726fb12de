package rest_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// guide is a FHIR package: files by name.
func guide(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	for name, text := range files {
		must(t, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}))
		_, err := archive.Write([]byte(text))
		must(t, err)
	}
	must(t, archive.Close())
	must(t, zipped.Close())
	return b.Bytes()
}

func manifest(name, version string) string {
	return fmt.Sprintf(`{"name":%q,"version":%q,"fhirVersions":["4.0.1"]}`, name, version)
}

const namedPatient = `{"resourceType":"StructureDefinition","url":"http://example.org/StructureDefinition/named","name":"Named","fhirVersion":"4.0.1",
"kind":"resource","type":"Patient","derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient",
"differential":{"element":[{"id":"Patient.name","path":"Patient.name","min":1},
{"id":"Patient.birthDate","path":"Patient.birthDate","mustSupport":true}]}}`

func TestProfiles_areInstalledReplacedListedAndRemoved(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	gz := http.Header{"Content-Type": {"application/gzip"}}
	install := func(version string, extra string) {
		t.Helper()
		body := guide(t, map[string]string{"package/package.json": manifest("test.named", version), "package/StructureDefinition-named.json": namedPatient, "package/other/noise.txt": extra})
		if resp, got := f.send(t, http.MethodPost, "profiles", gz, body); resp.StatusCode != http.StatusCreated || !strings.Contains(string(got), `"version":"`+version+`"`) {
			t.Fatalf("install: %d %s", resp.StatusCode, got)
		}
	}
	list := func() (names []string) {
		t.Helper()
		resp, got := f.send(t, http.MethodGet, "profiles", nil, nil)
		var answer struct {
			Packages []struct {
				Name, Version string
				Profiles      int
			}
		}
		must(t, json.Unmarshal(got, &answer))
		if resp.StatusCode != http.StatusOK || answer.Packages == nil {
			t.Fatalf("list: %d %s", resp.StatusCode, got)
		}
		for _, p := range answer.Packages {
			names = append(names, fmt.Sprintf("%s@%s:%d", p.Name, p.Version, p.Profiles))
		}
		return names
	}
	if got := list(); len(got) != 0 {
		t.Errorf("at first there are %v", got)
	}
	var noise [5 << 20]byte // a package over the bound of resources, in several chunks
	_, _ = rand.Read(noise[:])
	install("1.0.0", string(noise[:]))
	install("1.0.0", "")
	install("1.1.0", string(noise[:]))
	if got := fmt.Sprint(list()); got != "[test.named@1.0.0:1 test.named@1.1.0:1]" {
		t.Errorf("installed are %s", got)
	}
	remove := func(path string, want int) {
		t.Helper()
		if resp, got := f.send(t, http.MethodDelete, path, nil, nil); resp.StatusCode != want {
			t.Errorf("DELETE %s: %d %s", path, resp.StatusCode, got)
		}
	}
	remove("profiles/test.named/2.0.0", http.StatusNotFound)
	remove("profiles/test.named/1.1.0", http.StatusOK)
	if got := fmt.Sprint(list()); got != "[test.named@1.0.0:1]" {
		t.Errorf("installed are %s", got)
	}
	supported := func() (all []string) {
		_, body := f.send(t, http.MethodGet, "metadata", nil, nil)
		var said capabilities
		must(t, json.Unmarshal(body, &said))
		for _, r := range said.Rest[0].Resource {
			for _, url := range r.SupportedProfile {
				all = append(all, r.Type+" "+url)
			}
		}
		return all
	}
	if got := fmt.Sprint(supported()); got != "[Patient http://example.org/StructureDefinition/named]" {
		t.Errorf("the CapabilityStatement supports %s", got)
	}
	remove("profiles/test.named", http.StatusOK)
	if got := supported(); got != nil {
		t.Errorf("the CapabilityStatement supports %v", got)
	}
	remove("profiles/test.named", http.StatusNotFound)
}

func TestProfiles_areWhatResourcesAreHeldAgainst(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	fhirJSON := http.Header{"Content-Type": {"application/fhir+json"}}
	nameless := []byte("{\"resourceType\":\"Patient\",\n \"meta\":{\"profile\":[\"http://example.org/StructureDefinition/named\"]}}")
	post := func(header http.Header, body []byte, status int, words ...string) {
		t.Helper()
		resp, got := f.send(t, http.MethodPost, "Patient", header, body)
		if resp.StatusCode != status {
			t.Errorf("status %d, want %d: %s", resp.StatusCode, status, got)
		}
		for _, w := range words {
			if !strings.Contains(string(got), w) {
				t.Errorf("the answer lacks %q: %s", w, got)
			}
		}
	}
	post(fhirJSON, nameless, http.StatusCreated) // not known yet
	body := guide(t, map[string]string{"package/package.json": manifest("test.named", "1.0.0"), "package/a.json": namedPatient})
	if resp, got := f.send(t, http.MethodPost, "profiles", nil, body); resp.StatusCode != http.StatusCreated {
		t.Fatalf("install: %d %s", resp.StatusCode, got)
	}
	post(fhirJSON, nameless, http.StatusBadRequest, `"code":"required"`, "Named, Patient.name: it must be there", `"expression":["Patient.name"]`, "line 1, column 1")
	post(fhirJSON, []byte(strings.Replace(string(nameless), `"meta"`, `"name":[{"family":"Day"}],"meta"`, 1)), http.StatusCreated)
	post(http.Header{"Content-Type": fhirJSON["Content-Type"], "X-Amzn-Healthlake-Fhir-Validation-Level": {"structure-only"}}, nameless, http.StatusCreated)
	ask := func(at string, body string, words ...string) {
		t.Helper()
		resp, got := f.send(t, http.MethodPost, at, fhirJSON, []byte(body))
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", at, resp.StatusCode, got)
		}
		for _, w := range words {
			if !strings.Contains(string(got), w) {
				t.Errorf("%s: the answer lacks %q: %s", at, w, got)
			}
		}
	}
	ask("Patient/$validate?profile=http://example.org/StructureDefinition/named", `{"resourceType":"Patient"}`, "Named, Patient.name: it must be there")
	ask("Patient/$validate?profile=http://example.org/StructureDefinition/named", `{"resourceType":"Patient","name":[{"family":"Day"}]}`, "Validation successful",
		`"severity":"information","code":"informational","details":{"text":"Named, Patient.birthDate: it must be supported, and is not there"}`)
	ask("Patient/$validate", `{"resourceType":"Patient","meta":{"profile":["http://example.org/other"]}}`, "Validation successful", `"severity":"warning"`, "not installed")
	ask("Bundle/$validate", `{"resourceType":"Bundle","type":"collection","entry":[{"resource":`+string(nameless)+`}]}`, `"expression":["Bundle.entry[0].resource.name"]`)
	if resp, got := f.send(t, http.MethodDelete, "profiles/test.named", nil, nil); resp.StatusCode != http.StatusOK {
		t.Fatalf("remove: %d %s", resp.StatusCode, got)
	}
	post(fhirJSON, nameless, http.StatusCreated)
}

func TestProfiles_refuseWhatIsNoPackage(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	var bomb bytes.Buffer
	zipped := gzip.NewWriter(&bomb)
	archive := tar.NewWriter(zipped)
	must(t, archive.WriteHeader(&tar.Header{Name: "package/zeros.txt", Size: 300 << 20, Typeflag: tar.TypeReg}))
	for range 300 {
		_, err := archive.Write(make([]byte, 1<<20))
		must(t, err)
	}
	must(t, zipped.Close())
	for name, test := range map[string]struct {
		header string
		body   []byte
		status int
		words  string
	}{
		"nothing":              {"application/gzip", nil, http.StatusBadRequest, "not compressed by gzip"},
		"words":                {"application/gzip", []byte("hello"), http.StatusBadRequest, "not compressed by gzip"},
		"no archive":           {"application/gzip", compressed(t, "hello"), http.StatusBadRequest, "no tar archive"},
		"no manifest":          {"application/gzip", guide(t, map[string]string{"package/a.json": namedPatient}), http.StatusBadRequest, "package/package.json"},
		"manifest of no JSON":  {"application/gzip", guide(t, map[string]string{"package/package.json": "{"}), http.StatusBadRequest, "no JSON"},
		"a name with a slash":  {"application/gzip", guide(t, map[string]string{"package/package.json": manifest("a/b", "1")}), http.StatusBadRequest, "name and a version"},
		"another FHIR":         {"application/gzip", guide(t, map[string]string{"package/package.json": `{"name":"a","version":"1","fhirVersions":["5.0.0"]}`}), http.StatusBadRequest, "5.0.0"},
		"much out of little":   {"application/gzip", bomb.Bytes(), http.StatusRequestEntityTooLarge, "268435456 bytes unpacked"},
		"a body over the edge": {"application/gzip", make([]byte, 16<<20+1), http.StatusRequestEntityTooLarge, "16777216"},
		"JSON":                 {"application/json", []byte(`{}`), http.StatusUnsupportedMediaType, "application/gzip"},
	} {
		t.Run(name, func(t *testing.T) {
			resp, got := f.send(t, http.MethodPost, "profiles", http.Header{"Content-Type": {test.header}}, test.body)
			if resp.StatusCode != test.status || !strings.Contains(string(got), "OperationOutcome") || !strings.Contains(string(got), test.words) {
				t.Errorf("%d %s, want %d with %q", resp.StatusCode, got, test.status, test.words)
			}
		})
	}
}

func compressed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	_, err := zipped.Write([]byte(text))
	must(t, err)
	must(t, zipped.Close())
	return b.Bytes()
}
