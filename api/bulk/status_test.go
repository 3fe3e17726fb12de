package bulk_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tarn/api/bulk"
	"tarn/api/client"
	"tarn/fault"
)

func TestStatus_ofAFailedExportTellsWhy(t *testing.T) {
	t.Parallel()
	c := open(t, &stage{failed: "Not authorized to perform kms:GenerateDataKey on key/k."}, everything)
	resp, err := c.FHIR(t.Context(), http.MethodGet, active, "export/"+jobID, nil)
	if err == nil {
		_ = resp.Body.Close()
		t.Fatalf("status %d", resp.StatusCode)
	}
	if text := fault.Message(err); !strings.Contains(text, "The export failed: Not authorized to perform kms:GenerateDataKey") {
		t.Errorf("a failed export says %q (%v)", text, err)
	}
}

// TestCancel_ofAFailedExportEndsItsStatus gives it up: its status is told until then, and after that it is 404.
func TestCancel_ofAFailedExportEndsItsStatus(t *testing.T) {
	t.Parallel()
	c := open(t, &stage{failed: "It failed."}, everything)
	for i, want := range []struct {
		method string
		status int
	}{{http.MethodGet, 500}, {http.MethodDelete, 202}, {http.MethodGet, 404}, {http.MethodDelete, 404}} {
		resp, err := c.FHIR(t.Context(), want.method, active, "export/"+jobID, nil)
		status := 0
		var refused *client.Error
		if errors.As(err, &refused) {
			status = refused.Status
		} else if err == nil {
			status = resp.StatusCode
			_ = resp.Body.Close()
		}
		if status != want.status {
			t.Errorf("%d: %s gives %d (%v), want %d", i, want.method, status, err, want.status)
		}
	}
}

func TestOffer_isWhatTheRoutesServe(t *testing.T) {
	t.Parallel()
	var said []string
	for _, op := range bulk.Offer().Operations {
		said = append(said, strings.TrimPrefix(op.On+" $"+op.Name+" "+op.Definition, " "))
	}
	const want = `$export http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export
Patient $export http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export
Group $export http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export
Group $davinci-data-export http://hl7.org/fhir/us/davinci-atr/OperationDefinition/davinci-data-export`
	if got := strings.Join(said, "\n"); got != want {
		t.Errorf("the offer is\n%s\nwant\n%s", got, want)
	}
}

// TestKickOff_filtersTellOfPermittedTypesAlone starts exports with filters, with all types permitted and with one denied.
func TestKickOff_filtersTellOfPermittedTypesAlone(t *testing.T) {
	t.Parallel()
	deny := `,{"Effect":"Deny","Action":"healthlake:*","Resource":"*","Condition":{"StringEquals":{"tarn:ResourceType":"Patient"}}}`
	for _, denied := range []bool{false, true} {
		s, rights := &stage{}, everything
		if denied {
			rights += deny
		}
		resp, err := open(t, s, rights).FHIR(t.Context(), http.MethodGet, active, "$export?_typeFilter=Observation%3Fsubject%3APatient.name%3Dmiller", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if see := s.asked[0].Selection.See; denied != (len(see) > 0) || slices.Contains(see, "Patient") {
			t.Errorf("denied %v: filters may see %v", denied, see)
		}
	}
}

func TestCancel_ofAnExportThatEndsMeanwhile(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{true, false} {
		s := &stage{own: own, endsMeanwhile: true}
		resp, err := open(t, s, everything).FHIR(t.Context(), http.MethodDelete, active, "export/"+jobID, nil)
		if err == nil {
			_ = resp.Body.Close()
		}
		var refused *client.Error
		if own && (err != nil || resp.StatusCode != http.StatusAccepted || s.discarded != 1) {
			t.Errorf("to the service's own bucket: %v, discarded %d", err, s.discarded)
		}
		if !own && (!errors.As(err, &refused) || refused.Status != http.StatusBadRequest || s.discarded != 0) {
			t.Errorf("to the caller's bucket: %v, discarded %d", err, s.discarded)
		}
	}
}
