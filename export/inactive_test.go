package export_test

import (
	"testing"

	"tarn/catalog"
	"tarn/fault"
	"tarn/job"
)

func TestStart_wantsAnActiveDataStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	creating, err := w.catalog.Create(t.Context(), catalog.CreateRequest{Name: "filling", TypeVersion: "R4", Preload: catalog.Synthea})
	must(t, err)
	_, err = w.catalog.Delete(t.Context(), w.data.ID)
	must(t, err)
	for status, d := range map[string]catalog.Datastore{"CREATING": creating, "DELETING": w.data} {
		r := w.request()
		r.Datastore, r.DatastoreARN = d.ID, d.ARN
		if _, err := w.exports.Start(t.Context(), r); !fault.Is(err, fault.Conflict) {
			t.Errorf("an export of a data store that is %s: %v", status, err)
		}
		if page, err := w.ledger.List(t.Context(), job.ListFilter{Datastore: d.ID}); err != nil || len(page.Jobs) > 0 {
			t.Errorf("%s: a job was queued: %v %v", status, page.Jobs, err)
		}
	}
	if len(w.objects()) > 0 {
		t.Error("something was written")
	}
}
