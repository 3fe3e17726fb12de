package bulk_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
)

// TestKickOff_takesPatientsOfThisDataStoreAlone names a patient in each form of a reference.
func TestKickOff_takesPatientsOfThisDataStoreAlone(t *testing.T) {
	t.Parallel()
	for reference, taken := range map[string]bool{
		"Patient/p2": true,
		"https://tarn.test/datastore/" + active + "/r4/Patient/p2":  true,
		"https://tarn.test/datastore/" + filling + "/r4/Patient/p2": false,
		"https://other.example.org/fhir/Patient/p2":                 false,
		"http://tarn.test/datastore/" + active + "/r4/Patient/p2":   false,
		"Group/p2": false, "p2": false, "urn:uuid:p2": false, "Patient?identifier=p2": false,
	} {
		s := &stage{}
		body := fmt.Sprintf(`{"resourceType":"Parameters","parameter":[{"name":"patient","valueReference":{"reference":%q}}]}`, reference)
		resp, err := open(t, s, everything).FHIR(t.Context(), http.MethodPost, active, "Patient/$export", []byte(body))
		if err == nil {
			_ = resp.Body.Close()
		}
		if taken != (err == nil) || taken != (len(s.asked) == 1) || taken && !slices.Equal(s.asked[0].Selection.Patients, []string{"p2"}) {
			t.Errorf("%s: %v, asked %v", reference, err, s.asked)
		}
	}
}
