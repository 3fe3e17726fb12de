package ingest_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"tarn/fault"
	"tarn/job"
	"tarn/store"
)

func TestImport_tellsOfEachLineInOneOfItsLogs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	uuid := "0f8fad5b-d9cb-469f-a165-70867728950e"
	w.cloud.set("in/a.ndjson", patient("a")+"broken\n"+patient(uuid)+`{"resourceType":"Basic","id":"b","code":{"text":"x"}}`+"\n\n"+patient("a"))
	w.cloud.set("in/deep/b.ndjson", patient("a"))
	w.cloud.set("in/none.ndjson", "")
	rec := w.start()
	w.work()
	line := func(n int, typ, id string, version, status int) string {
		return fmt.Sprintf(`{"lineId":%d,"UpdateResourceResponse":{"jsonBlob":{"resourceType":%q,"id":%q,"meta":{"versionId":"%d"}},"statusCode":%d}}`+"\n", n, typ, id, version, status)
	}
	got := w.output(rec)
	for name, want := range map[string]string{
		"SUCCESS/a.ndjson":      line(1, "Patient", "a", 1, 201) + line(3, "Patient", uuid, 1, 201) + line(4, "Basic", "b", 1, 201) + line(6, "Patient", "a", 2, 200),
		"SUCCESS/deep/b.ndjson": line(1, "Patient", "a", 3, 200),
	} {
		if got[name] != want {
			t.Errorf("%s is\n%swant\n%s", name, got[name], want)
		}
	}
	if len(got) != 4 || strings.Count(got["FAILURE/a.ndjson"], "\n") != 1 { // and the manifest
		t.Errorf("logs %v", got)
	}
}

// TestImport_tellsWhatWasToleratedInALogOfItsOwn imports under minimal a sound line and one that breaks FHIR R4.
func TestImport_tellsWhatWasToleratedInALogOfItsOwn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cloud.set("in/a.ndjson", patient("a")+`{"resourceType":"Patient","id":"b","gender":"m","birthDate":"never"}`+"\n"+`{"resourceType":"Patient","id":"c d"}`+"\n")
	r := w.request()
	r.ValidationLevel = "minimal"
	rec, err := w.svc.Start(t.Context(), r)
	must(t, err)
	w.work()
	logs := w.output(rec)
	if got := logs["SUCCESS/a.ndjson"]; !strings.HasPrefix(got, `{"lineId":1,`) || strings.Count(got, "\n") != 1 {
		t.Errorf("SUCCESS: %s", got)
	}
	if got := logs["FAILURE/a.ndjson"]; !strings.HasPrefix(got, `{"lineId":3,`) || strings.Count(got, "\n") != 1 {
		t.Errorf("FAILURE: %s", got)
	}
	var told struct {
		LineID   int64 `json:"lineId"`
		Response struct {
			Resource struct {
				ID   string
				Meta struct {
					VersionID string
					Extension []struct{ URL, ValueString string }
				}
			} `json:"jsonBlob"`
			Status int `json:"statusCode"`
		} `json:"UpdateResourceResponse"`
	}
	must(t, json.Unmarshal([]byte(logs["SUCCESS_WITH_SEARCH_VALIDATION_FAILURES/a.ndjson"]), &told))
	is := told.Response.Resource
	if told.LineID != 2 || told.Response.Status != 201 || is.ID != "b" || is.Meta.VersionID != "1" || len(is.Meta.Extension) != 1 ||
		!strings.HasSuffix(is.Meta.Extension[0].URL, "/validation-issue") || !strings.Contains(is.Meta.Extension[0].ValueString, "administrative-gender") ||
		!strings.Contains(is.Meta.Extension[0].ValueString, "birthDate") {
		t.Errorf("%s", logs["SUCCESS_WITH_SEARCH_VALIDATION_FAILURES/a.ndjson"])
	}
}

// TestImport_writesTheLogsOfManySmallFiles has more files than logs may be owed to.
func TestImport_writesTheLogsOfManySmallFiles(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		const n = 60
		for i := range n {
			w.cloud.set(fmt.Sprintf("in/%02d.ndjson", i), patient(fmt.Sprint("p-", i))+"broken\n")
		}
		rec := w.start()
		w.work()
		if got := w.describe(rec); got.State != job.CompletedWithErrors || got.Progress.Resources != n || got.Progress.Files != n || w.riders() != 0 {
			t.Errorf("%s: %s %+v; %d pieces left", got.State, got.Message, got.Progress, w.riders())
		}
		logs := w.output(rec)
		for i := range n {
			name := fmt.Sprintf("%02d.ndjson", i)
			if !strings.Contains(logs["SUCCESS/"+name], fmt.Sprintf(`"id":"p-%d"`, i)) || !strings.HasPrefix(logs["FAILURE/"+name], `{"lineId":2,`) {
				t.Errorf("%s: %q %q", name, logs["SUCCESS/"+name], logs["FAILURE/"+name])
			}
		}
	})
}

// TestImport_goesOnFromThePlaceThatAnotherLeft moves the place under the feet of a worker: nothing that it does then from
// its own is applied, and it goes on from the other.
func TestImport_goesOnFromThePlaceThatAnotherLeft(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for _, name := range []string{"a", "b", "c"} {
			w.cloud.set("in/"+name+".ndjson", patient(name+"-1")+patient(name+"-2"))
		}
		rec := w.start()
		moved := false
		w.cloud.onGet = func(key string) {
			if key != "in/c.ndjson" || moved {
				return
			}
			moved = true // what another worker would do: write c-1, and say that its line is done
			c, err := parse(patient("c-1"))
			must(t, err)
			name := []byte("import/" + rec.ID + "/place")
			at, err := w.data.Rider(t.Context(), name)
			must(t, err)
			var place map[string]any
			must(t, json.Unmarshal(at, &place))
			place["line"], place["offset"] = 1, len(patient("c-1"))
			_, err = w.data.Commit(t.Context(), store.Transaction{Writes: []store.Write{{Op: store.Put, Type: c.Code(), ID: "c-1", Resource: c}},
				Riders: []store.Rider{{Key: name, Value: []byte(asJSON(place))}}})
			must(t, err)
		}
		w.work()
		if got := w.describe(rec); got.State != job.Completed || !moved {
			t.Errorf("%s %s", got.State, got.Message)
		}
		versions := w.versions()
		for id, number := range versions {
			if number != 1 {
				t.Errorf("%s has version %d", id, number)
			}
		}
		if len(versions) != 6 {
			t.Errorf("%v", versions)
		}
		if log := w.output(rec)["SUCCESS/c.ndjson"]; strings.Count(log, "\n") != 1 || !strings.Contains(log, "c-2") { // the other's line was not kept here
			t.Errorf("%s", log)
		}
	})
}

// TestImport_doesNotGoOnBehindItsEnd lets the record of a failed job be lost once: the job fails again, with the same
// message, and nothing is added.
func TestImport_doesNotGoOnBehindItsEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.cloud.set("in/a.ndjson", patient("a-1"))
		w.cloud.set("in/b.ndjson", patient("b-1"))
		rec := w.start()
		denied := true
		w.cloud.onPut = func(key string) (error, error) {
			if denied && strings.HasSuffix(key, "manifest.json") {
				denied = false
				ctx := w.t.Context()
				name := []byte("import/" + rec.ID + "/place")
				at, err := w.data.Rider(ctx, name)
				must(t, err)
				ended := strings.Replace(string(at), "{", `{"ended":"It was too much.",`, 1)
				_, err = w.data.Commit(ctx, store.Transaction{Riders: []store.Rider{{Key: name, Value: []byte(ended)}}})
				must(t, err)
				return fault.Errorf(fault.Unavailable, "test", "boom"), nil
			}
			return nil, nil
		}
		w.work()
		if got := w.describe(rec); got.State != job.Failed || got.Message != "It was too much." || w.riders() != 0 {
			t.Errorf("%s %q, %d pieces left", got.State, got.Message, w.riders())
		}
		if logs := w.output(rec); len(logs) != 3 {
			t.Errorf("%v", logs)
		}
	})
}
