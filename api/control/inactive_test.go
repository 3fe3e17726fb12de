package control_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/catalog"
)

func TestStart_wantsAnActiveDataStore(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	creating, err := h.catalog.Create(ctx, catalog.CreateRequest{TypeVersion: "R4", Preload: catalog.Synthea})
	must(t, err)
	deleting := h.datastore(nil)
	_, err = h.catalog.Delete(ctx, deleting.ID)
	must(t, err)
	for status, id := range map[string]string{"CREATING": creating.ID, "DELETING": deleting.ID} {
		_, err := h.root().StartFHIRExportJob(ctx, startInput(id))
		wantError[*types.ValidationException](t, err, "is "+status+"; a job needs it to be ACTIVE")
	}
	if h.asked != 0 {
		t.Errorf("a service was asked %d times", h.asked)
	}
}
