package export_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/job"
	"tarn/store"
)

// told is what one export holds: Type/id of what is there, and of what was deleted, sorted.
type told struct {
	rec           job.Record
	at            fhir.Instant // its transactionTime
	live, deleted []string
}

// tells runs an export of a selection and proves it.
func (w *world) tells(sel export.Selection) (x told) {
	w.t.Helper()
	x = w.tellsOf(sel)
	w.proves(x.rec.ID, w.folder(x.rec.ID))
	return x
}

// tellsOf is tells without the proof.
func (w *world) tellsOf(sel export.Selection) (x told) {
	w.t.Helper()
	r := w.request()
	r.Selection, r.Base = sel, strings.TrimRight(w.data.Endpoint, "/")
	r.Selection.Deleted = sel.Since != 0
	rec, err := w.exports.Start(w.t.Context(), r)
	must(w.t, err)
	w.run()
	if x.rec = w.describe(rec.ID); x.rec.State != job.Completed {
		w.t.Fatalf("%s: %s", x.rec.State, x.rec.Message)
	}
	m, f := w.manifest(rec.ID), w.folder(rec.ID)
	x.at, err = fhir.ParseInstant(m.TransactionTime)
	must(w.t, err)
	for _, file := range m.Output {
		for line := range bytes.Lines(f[file.Name]) {
			var r struct{ ResourceType, ID string }
			must(w.t, json.Unmarshal(line, &r))
			x.live = append(x.live, r.ResourceType+"/"+r.ID)
		}
	}
	for _, file := range m.Deleted {
		for line := range bytes.Lines(f[file.Name]) {
			var b struct {
				Entry []struct{ Request struct{ URL string } }
			}
			must(w.t, json.Unmarshal(line, &b))
			for _, e := range b.Entry {
				x.deleted = append(x.deleted, e.Request.URL)
			}
		}
	}
	slices.Sort(x.live)
	slices.Sort(x.deleted)
	return x
}

// wants compares names, given with blanks between them.
func wants(t *testing.T, what string, got []string, want string) {
	t.Helper()
	names := strings.Fields(want)
	slices.Sort(names)
	if !slices.Equal(got, names) {
		t.Errorf("%s: %v, want %v", what, got, names)
	}
}

// remove deletes resources, given as Type/id.
func (w *world) remove(names ...string) {
	w.t.Helper()
	var tx store.Transaction
	for _, name := range names {
		ref := fhir.ParseReference(name)
		code, _ := r4.CodeOf(ref.Type)
		tx.Writes = append(tx.Writes, store.Write{Op: store.Delete, Type: code, ID: ref.ID, Epoch: index.Epoch})
	}
	_, err := w.store().Commit(w.t.Context(), tx)
	must(w.t, err)
}

func patientOf(id string) string { return fmt.Sprintf(`{"resourceType":"Patient","id":%q}`, id) }

// groupOf is a Group of members, given as references.
func groupOf(id string, members ...string) string {
	list := make([]string, len(members))
	for i, m := range members {
		list[i] = fmt.Sprintf(`{"entity":{"reference":%q}}`, m)
	}
	return fmt.Sprintf(`{"resourceType":"Group","id":%q,"type":"person","actual":true,"member":[%s]}`, id, strings.Join(list, ","))
}

func provenanceOf(id, target string) string {
	return fmt.Sprintf(`{"resourceType":"Provenance","id":%q,"recorded":"2025-01-01T00:00:00Z","target":[{"reference":%q}],"agent":[{"who":{"display":"x"}}]}`, id, target)
}

// TestGroup_ofNamedPatientsTellsNothingOfAnotherWhoJoined asks for the changes of one member while another has joined.
func TestGroup_ofNamedPatientsTellsNothingOfAnotherWhoJoined(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"), patientOf("p2"), patientOf("p3"), groupOf("g", "Patient/p1", "Patient/p2"), groupOf("inner", "Patient/p3"),
		observationOf(1, "p1", ""), observationOf(2, "p2", ""), observationOf(3, "p3", ""),
		provenanceOf("v1", "Observation/o00001"), provenanceOf("v3", "Observation/o00003"))
	since := w.tells(export.Selection{Level: export.OfGroup, Group: "g"}).at
	h.add(w, groupOf("g", "Patient/p1", "Patient/p2", "Group/inner"), observationOf(4, "p1", ""), observationOf(5, "p3", ""), provenanceOf("v5", "Observation/o00005"))
	ask := export.Selection{Level: export.OfGroup, Group: "g", Since: since}
	wants(t, "the group", w.tells(ask).live, "Group/g Group/inner Observation/o00003 Observation/o00004 Observation/o00005 Patient/p3 Provenance/v3 Provenance/v5")
	ask.Patients = []string{"p1"}
	wants(t, "a former member", w.tells(ask).live, "Group/g Observation/o00004")
	ask.Patients = []string{"p3"}
	wants(t, "the one who joined", w.tells(ask).live, "Group/inner Observation/o00003 Observation/o00005 Patient/p3 Provenance/v3 Provenance/v5")
	ask.Patients, ask.Organize = []string{"p1"}, export.ByPatient
	wants(t, "a former member, in blocks", slices.DeleteFunc(w.tells(ask).live, func(name string) bool { return name == "Parameters/" }), "Group/g Observation/o00004")
}

// TestGroup_hasNoMembersOfOtherServers lists patients and groups by the URLs of another server and of the data store.
func TestGroup_hasNoMembersOfOtherServers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	const other = "https://other.example.org/fhir/"
	h.add(w, patientOf("p1"), patientOf("p2"), patientOf("p3"), patientOf("p4"), observationOf(2, "p2", ""), observationOf(3, "p3", ""),
		groupOf("theirs", "Patient/p3"), groupOf("ours", "Patient/p4", other+"Patient/p3"),
		groupOf("g", "Patient/p1", other+"Patient/p2", other+"Group/theirs", w.data.Endpoint+"Group/ours"))
	ask := export.Selection{Level: export.OfGroup, Group: "g", Types: []string{"Patient", "Observation"}}
	wants(t, "the group", w.tells(ask).live, "Patient/p1 Patient/p4")
	r := w.request()
	r.Selection, r.Base = ask, strings.TrimRight(w.data.Endpoint, "/")
	r.Selection.Patients = []string{"p2"}
	if _, err := w.exports.Start(t.Context(), r); !fault.Is(err, fault.Invalid) || !strings.Contains(fault.Message(err), "no member") {
		t.Errorf("a patient who is a member on another server: %v", err)
	}
}

// TestGroup_thatIsNotToTheLetterIsReadAsFarAsItIsPlain exports groups as they may lie in a data store that was not strict.
func TestGroup_thatIsNotToTheLetterIsReadAsFarAsItIsPlain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := hospital{}
	h.add(w, patientOf("p1"), patientOf("p2"), patientOf("p3"))
	const p1, p2 = `{"entity":{"reference":"Patient/p1"}}`, `"entity":{"reference":"Patient/p2"}`
	for i, test := range []struct{ has, want string }{
		{`"actual":"true","member":[` + p1 + `]`, "Patient/p1"},
		{`"actual":null,"member":[` + p1 + `]`, "Patient/p1"},
		{`"member":[` + p1 + `]`, "Patient/p1"},
		{`"actual":"false","member":[` + p1 + `]`, ""},
		{`"actual":false,"member":[` + p1 + `]`, ""},
		{`"actual":{"x":1},"member":[` + p1 + `]`, ""},
		{`"actual":true,"member":` + p1, "Patient/p1"},
		{`"actual":true,"member":[` + p1 + `,{"inactive":"true",` + p2 + `}]`, "Patient/p1"},
		{`"actual":true,"member":[{"inactive":"false",` + p2 + `}]`, "Patient/p2"},
		{`"actual":true,"member":[` + p1 + `,{"inactive":1,` + p2 + `}]`, "Patient/p1"},
		{`"actual":true,"member":[` + p1 + `,{"period":{"start":5,"end":"x"},` + p2 + `}]`, "Patient/p1 Patient/p2"},
		{`"actual":true,"member":[` + p1 + `,{"period":"2020",` + p2 + `}]`, "Patient/p1 Patient/p2"},
		{`"actual":true,"member":[` + p1 + `,{"period":{"end":"2020"},` + p2 + `}]`, "Patient/p1"},
		{`"actual":true,"member":[` + p1 + `,5,null,"Patient/p2",{"entity":"Patient/p2"},{"entity":{"reference":["Patient/p2"]}},[{` + p2 + `}]]`, "Patient/p1"},
		{`"actual":true,"member":"Patient/p1"`, ""},
		{`"actual":true`, ""},
	} {
		id := fmt.Sprintf("g%d", i)
		h.add(w, fmt.Sprintf(`{"resourceType":"Group","id":%q,"type":"person",%s}`, id, test.has), groupOf("outer", "Group/"+id, "Patient/p3"))
		wants(t, test.has, w.tells(export.Selection{Level: export.OfGroup, Group: id, Types: []string{"Patient"}}).live, test.want)
		wants(t, test.has+", within another", w.tells(export.Selection{Level: export.OfGroup, Group: "outer", Types: []string{"Patient"}}).live, "Patient/p3 "+test.want)
	}
}
