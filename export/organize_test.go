package export_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/job"
	"tarn/store"
)

// hospital is what was written into a world, by Type/id.
type hospital map[string]string

// add writes resources with their index values.
func (h hospital) add(w *world, bodies ...string) {
	w.t.Helper()
	x, p := index.NewExtractor(), fhir.NewParser(fhir.Limits{})
	for chunk := range slices.Chunk(bodies, 200) {
		var tx store.Transaction
		for _, body := range chunk {
			r, err := p.Parse([]byte(body))
			must(w.t, err)
			entries := x.ExtractOwned(p.Doc(), r.Code())
			tx.Writes = append(tx.Writes, store.Write{Op: store.Put, Type: r.Code(), ID: r.ID(), Resource: r, Entries: entries, Epoch: index.Epoch})
			h[r.Type()+"/"+r.ID()] = body
		}
		_, err := w.store().Commit(w.t.Context(), tx)
		must(w.t, err)
	}
}

var literal = regexp.MustCompile(`"reference":"([A-Za-z]+/[^"]+)"`)

// blocks is what an export organized by patient must hold: Patient/id -> Type/id, sorted.
func (h hospital) blocks(shared int) map[string][]string {
	blocks := map[string][]string{}
	owners := func(key string) (all []string) {
		for _, m := range literal.FindAllStringSubmatch(h[key], -1) {
			if strings.HasPrefix(m[1], "Patient/") {
				all = append(all, m[1])
			}
		}
		if strings.HasPrefix(key, "Patient/") {
			all = append(all, key)
		}
		return all
	}
	for key, body := range h {
		whose := owners(key)
		if strings.HasPrefix(key, "Provenance/") {
			for _, m := range literal.FindAllStringSubmatch(body, -1) {
				whose = append(whose, owners(m[1])...)
			}
		}
		slices.Sort(whose)
		if whose = slices.Compact(whose); len(whose) > shared {
			whose = whose[:1] // ids sort as ordinals do here
		}
		for _, patient := range whose {
			blocks[patient] = append(blocks[patient], key)
		}
	}
	for _, b := range blocks {
		slices.Sort(b)
	}
	return blocks
}

// read takes the files of an export apart and checks their form.
func (h hospital) read(t *testing.T, m export.Manifest, f folder, lines int) map[string][]string {
	t.Helper()
	blocks := map[string][]string{}
	patient, next := "", ""
	for _, file := range m.Output {
		n, headers := 0, 0
		for line := range bytes.Lines(f[file.Name]) {
			var r struct {
				ResourceType, ID string
				Parameter        []struct {
					Name           string
					ValueReference struct{ Reference string }
				}
			}
			must(t, json.Unmarshal(line, &r))
			if n++; r.ResourceType == "Parameters" {
				headers++
				if len(r.Parameter) != 1 || r.Parameter[0].Name != "header" {
					t.Fatalf("a header is %s", line)
				}
				now := r.Parameter[0].ValueReference.Reference
				if goesOn := n == 1 && next == file.Name; goesOn != (now == patient) || !goesOn && blocks[now] != nil {
					t.Fatalf("%s, line %d: a block of %s behind one of %s, which goes on in %q", file.Name, n, now, patient, next)
				}
				if patient = now; blocks[patient] == nil {
					blocks[patient] = []string{}
				}
				continue
			}
			if n == 1 {
				t.Fatalf("%s begins with a %s", file.Name, r.ResourceType)
			}
			key := r.ResourceType + "/" + r.ID
			if key == patient && len(blocks[patient]) > 0 {
				t.Errorf("%s does not come first in its block", key)
			}
			blocks[patient] = append(blocks[patient], key)
		}
		if next != "" && next != file.Name {
			t.Fatalf("a block should go on in %s, and %s follows", next, file.Name)
		}
		if n > lines || n != file.Count || headers != file.Blocks || file.Type != "" {
			t.Errorf("%s has %d lines, %d headers: %+v", file.Name, n, headers, file)
		}
		next = file.Continues
	}
	if next != "" {
		t.Errorf("the last file goes on in %s", next)
	}
	for _, b := range blocks {
		slices.Sort(b)
	}
	return blocks
}

func observationOf(n int, patient, more string) string {
	return fmt.Sprintf(`{"resourceType":"Observation","id":"o%05d","status":"final","code":{"text":"%d"},"subject":{"reference":"Patient/%s"}%s}`, n, n, patient, more)
}

// fill writes patients with few and with many resources, some who are not there, and what several share.
func fill(w *world, patients int, seed uint64) hospital {
	h := hospital{}
	rnd := rand.New(rand.NewPCG(seed, 1))
	name := func(n int) string { return fmt.Sprintf("p%04d", n) }
	var bodies, roster []string
	for n := range patients {
		link := ""
		if n%10 == 3 {
			link = fmt.Sprintf(`,"link":[{"other":{"reference":"Patient/%s"},"type":"seealso"}]`, name(n-1))
		}
		bodies = append(bodies, fmt.Sprintf(`{"resourceType":"Patient","id":"%s"%s}`, name(n), link))
		roster = append(roster, fmt.Sprintf(`{"entity":{"reference":"Patient/%s"}}`, name(n)))
	}
	for n := range 4 * patients {
		of := rnd.IntN(patients)
		if n%3 == 0 {
			of = 1 // who has a third of everything
		}
		whose := name(of)
		if n%29 == 0 {
			whose = fmt.Sprintf("z-not-there-%d", n%4)
		}
		bodies = append(bodies, observationOf(n, whose, strings.Repeat(" ", rnd.IntN(200))))
	}
	for n := range patients / 4 {
		bodies = append(bodies, fmt.Sprintf(`{"resourceType":"Appointment","id":"a%d","status":"booked","participant":[{"status":"accepted","actor":{"reference":"Patient/%s"}},{"status":"accepted","actor":{"reference":"Patient/%s"}}]}`,
			n, name(rnd.IntN(patients)), name(rnd.IntN(patients))),
			fmt.Sprintf(`{"resourceType":"Provenance","id":"v%d","recorded":"2024-01-01T00:00:00Z","agent":[{"who":{"reference":"Organization/o1"}}],"target":[{"reference":"Observation/o%05d"},{"reference":"Patient/%s"}]}`,
				n, rnd.IntN(4*patients), name(rnd.IntN(patients))))
	}
	bodies = append(bodies, `{"resourceType":"Group","id":"all","type":"person","actual":true,"member":[`+strings.Join(roster, ",")+`]}`,
		`{"resourceType":"Group","id":"few","type":"person","actual":true,"member":[`+strings.Join(roster[:3], ",")+`]}`,
		`{"resourceType":"Organization","id":"o1","name":"of nobody"}`)
	h.add(w, bodies...)
	return h
}

func (w *world) organized(more func(*export.Selection)) (job.Record, export.Manifest, folder) {
	w.t.Helper()
	r := w.request()
	r.Selection = export.Selection{Organize: export.ByPatient, Level: export.Patients}
	if more != nil {
		more(&r.Selection)
	}
	rec, err := w.exports.Start(w.t.Context(), r)
	must(w.t, err)
	w.run()
	if rec = w.describe(rec.ID); rec.State != job.Completed {
		w.t.Fatalf("%s: %s", rec.State, rec.Message)
	}
	if rec.Progress.Resources != rec.Progress.ResourcesTotal {
		w.t.Errorf("the progress is %+v", rec.Progress)
	}
	return rec, w.manifest(rec.ID), w.folder(rec.ID)
}

func sameBlocks(t *testing.T, got, want map[string][]string) {
	t.Helper()
	for patient, b := range want {
		if !slices.Equal(got[patient], b) {
			t.Errorf("the block of %s holds\n%v, want\n%v", patient, got[patient], b)
		}
	}
	for patient := range got {
		if want[patient] == nil {
			t.Errorf("%s has a block of %v", patient, got[patient])
		}
	}
}

func TestOrganize_givesEachPatientABlockOfWhatBelongsToIt(t *testing.T) {
	t.Parallel()
	for name, bounds := range map[string][2]int{"by lines": {9, 1 << 20}, "by bytes": {5000, 4000}, "both": {13, 2500}, "as served": {0, 0}, "nothing but headers fits": {2, 100}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorldOf(t, export.Options{Lines: bounds[0], Bytes: bounds[1]})
			patients := 120
			if bounds[0] == 2 {
				patients = 40 // each resource has a file of its own
			}
			h := fill(w, patients, 7)
			want := h.blocks(100) // more belong to all of 120 patients
			rec, m, f := w.organized(nil)
			lines := bounds[0]
			if lines == 0 {
				lines = export.MaxLines
			}
			sameBlocks(t, h.read(t, m, f, lines), want)
			if m.OrganizedBy != "Patient" || len(m.Types) > 0 {
				t.Errorf("the manifest says %q and %v", m.OrganizedBy, m.Types)
			}
			w.proves(rec.ID, f)
			resources := 0
			for _, b := range want {
				resources += len(b)
			}
			if m.Count != resources {
				t.Errorf("%d resources, want %d", m.Count, resources)
			}
			// What is written later changes no byte, though the index speaks of it.
			h.add(w, observationOf(1, "p0000", ""), observationOf(2, "z-another", ""), `{"resourceType":"Patient","id":"z-not-there-1"}`)
			w.proves(rec.ID, f)
		})
	}
}

func TestOrganize_goesOnAfterEveryFaultToTheSameBytes(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, export.Options{Lines: 40, Bytes: 20_000})
	fill(w, 20, 3)
	calm, _, whole := w.organized(nil)
	boom := fault.Errorf(fault.Unavailable, "test", "boom")
	for n := 1; n <= len(whole); n++ {
		w.faults.puts = 0
		w.faults.fail = func(k int, _ string) (before, after error) {
			switch {
			case k != n:
				return nil, nil
			case n%2 == 0:
				return boom, nil
			}
			return nil, boom
		}
		rec, _, f := w.organized(nil)
		number := regexp.MustCompile(`-\d{5,}-`)
		for name, text := range whole {
			if name == export.ManifestName {
				continue
			}
			if again := f[number.ReplaceAllString(name, number.FindString(w.digests(rec.ID)[0].Name))]; !bytes.Equal(again, text) {
				t.Fatalf("put %d fails: %s of %s differs from that of %s", n, name, rec.ID, calm.ID)
			}
		}
		w.proves(rec.ID, f)
	}
}

func TestOrganize_keepsToWhatIsSelected(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, export.Options{Lines: 9})
	h := hospital{}
	h.add(w, `{"resourceType":"Patient","id":"p1"}`, `{"resourceType":"Patient","id":"p2","gender":"male","birthDate":"2000-01-01"}`, `{"resourceType":"Patient","id":"p3"}`,
		`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p2"}},{"entity":{"reference":"Patient/p3"}}]}`,
		observationOf(1, "p1", ""), observationOf(2, "p2", `,"performer":[{"reference":"Practitioner/d1"}]`), observationOf(3, "p3", ""),
		`{"resourceType":"Practitioner","id":"d1"}`, `{"resourceType":"Practitioner","id":"d2"}`,
		`{"resourceType":"PractitionerRole","id":"r1","practitioner":{"reference":"Practitioner/d2"},"organization":{"reference":"Organization/o1"}}`,
		`{"resourceType":"Organization","id":"o1"}`,
		`{"resourceType":"Encounter","id":"e1","status":"finished","class":{"code":"AMB"},"subject":{"reference":"Patient/p3"},"participant":[{"individual":{"reference":"PractitionerRole/r1"}}]}`)
	_, before, _ := w.organized(nil)
	since, err := fhir.ParseInstant(before.TransactionTime)
	must(t, err)
	h.add(w, observationOf(4, "p1", ""), `{"resourceType":"Patient","id":"p3","active":true}`)
	for name, test := range map[string]struct {
		ask  func(*export.Selection)
		want map[string][]string
	}{
		"the system": {func(s *export.Selection) { s.Level = export.System }, map[string][]string{"Patient/p1": {"Observation/o00001", "Observation/o00004", "Patient/p1"},
			"Patient/p2": {"Group/g", "Observation/o00002", "Patient/p2"}, "Patient/p3": {"Encounter/e1", "Group/g", "Observation/o00003", "Patient/p3"}}},
		"types": {func(s *export.Selection) { s.Types = []string{"Observation"} }, map[string][]string{"Patient/p1": {"Observation/o00001", "Observation/o00004"},
			"Patient/p2": {"Observation/o00002"}, "Patient/p3": {"Observation/o00003"}}},
		"a group": {func(s *export.Selection) { s.Level, s.Group = export.OfGroup, "g" }, map[string][]string{
			"Patient/p2": {"Group/g", "Observation/o00002", "Patient/p2"}, "Patient/p3": {"Encounter/e1", "Group/g", "Observation/o00003", "Patient/p3"}}},
		"some patients": {func(s *export.Selection) { s.Patients = []string{"p2"} }, map[string][]string{"Patient/p2": {"Group/g", "Observation/o00002", "Patient/p2"}}},
		"what has changed": {func(s *export.Selection) { s.Since, s.Deleted = since, true }, map[string][]string{"Patient/p1": {"Observation/o00004"},
			"Patient/p3": {"Patient/p3"}}},
		"with what they refer to": {func(s *export.Selection) {
			s.References, s.Types = true, []string{"Encounter", "Observation", "Practitioner", "PractitionerRole"}
		},
			map[string][]string{"Patient/p1": {"Observation/o00001", "Observation/o00004"}, "Patient/p2": {"Observation/o00002", "Practitioner/d1"},
				"Patient/p3": {"Encounter/e1", "Observation/o00003", "Practitioner/d2", "PractitionerRole/r1"}}},
	} {
		t.Run(name, func(t *testing.T) {
			rec, m, f := w.organized(test.ask)
			sameBlocks(t, h.read(t, m, f, 9), test.want)
			w.proves(rec.ID, f)
		})
	}
	rec, m, f := w.organized(func(s *export.Selection) { s.Elements = []string{"Patient.gender"} })
	h.read(t, m, f, 9)
	w.proves(rec.ID, f)
	if all := string(bytes.Join(values(f), nil)); strings.Contains(all, "birthDate") || !strings.Contains(all, "SUBSETTED") || !strings.Contains(all, `"Practitioner/d1"`) {
		t.Error("_elements of a type is not kept to in blocks")
	}
	r := w.request()
	r.Selection = export.Selection{Organize: export.ByPatient, Types: []string{"Organization"}}
	if _, err := w.exports.Start(t.Context(), r); !fault.Is(err, fault.Invalid) {
		t.Errorf("a type that belongs to no patient: %v", err)
	}
}

func values(f folder) (all [][]byte) {
	for name, b := range f {
		if name != export.ManifestName {
			all = append(all, b)
		}
	}
	return all
}

func TestVerify_catchesWhatIsWrongWithBlocks(t *testing.T) {
	t.Parallel()
	w := newWorldOf(t, export.Options{Lines: 6})
	h := hospital{}
	h.add(w, `{"resourceType":"Patient","id":"p1"}`, `{"resourceType":"Patient","id":"p2"}`)
	for n := range 8 {
		h.add(w, observationOf(n, "p2", ""))
	}
	_, m, whole := w.organized(nil)
	first, second := m.Output[1].Name, m.Output[2].Name
	if m.Output[1].Continues != second {
		t.Fatalf("the files are %+v", m.Output)
	}
	for name, test := range map[string]struct {
		plant func(f folder)
		says  string
	}{
		"nothing":             {func(folder) {}, ""},
		"no header":           {func(f folder) { f[second] = f[second][bytes.IndexByte(f[second], '\n')+1:] }, "does not go on"},
		"another's header":    {func(f folder) { f[second] = bytes.Replace(f[second], []byte("Patient/p2"), []byte("Patient/p1"), 1) }, "does not go on"},
		"a second block":      {func(f folder) { f[first] = bytes.Replace(f[first], []byte("Patient/p2"), []byte("Patient/p1"), 1) }, "second block"},
		"a resource twice":    {func(f folder) { f[second] = append(f[second], f[first][bytes.IndexByte(f[first], '\n')+1:]...) }, "stood in this block"},
		"a header of a Group": {func(f folder) { f[second] = bytes.Replace(f[second], []byte("Patient/p2"), []byte("Group/p2"), 1) }, "no header"},
		"going on where nothing": {func(f folder) {
			f[export.ManifestName] = bytes.Replace(f[export.ManifestName], []byte(`"continuesInFile": "`+second), []byte(`"continuesInFile": "`+first), 1)
		}, "does not follow"},
	} {
		t.Run(name, func(t *testing.T) {
			f := folder{}
			for k, v := range whole {
				f[k] = bytes.Clone(v)
			}
			test.plant(f)
			report, err := export.Verify(t.Context(), f, nil, nil)
			must(t, err)
			if text := fmt.Sprint(report.Problems); (test.says == "") != (len(report.Problems) == 0) || !strings.Contains(text, test.says) {
				t.Errorf("it says %s", text)
			}
		})
	}
}
