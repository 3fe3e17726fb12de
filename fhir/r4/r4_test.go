package r4_test

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir/r4"
)

// Codes lie on disk: a change here breaks every data directory.
func TestCode_neverChanges(t *testing.T) {
	t.Parallel()
	for code, name := range map[r4.Code]string{1: "Account", 12: "Bundle", 40: "DiagnosticReport", 44: "Encounter",
		75: "Medication", 90: "MedicinalProductUndesirableEffect", 93: "MolecularSequence", 98: "OperationDefinition",
		106: "Person", 114: "RelatedPerson", 146: "VisionPrescription"} {
		if got, ok := r4.CodeOf(name); !ok || got != code {
			t.Errorf("%s has the code %d, want %d", name, got, code)
		}
	}
	const sum = "277dd4fd0f7165ea7fe50036945adf01b0acc2d2b9ccee5a212a11c3773700eb"
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(strings.Join(r4.Types(), " ")))); got != sum {
		t.Errorf("the list of names has the sum %s, want %s", got, sum)
	}
}

func TestCodeOf_isTheInverseOfString(t *testing.T) {
	t.Parallel()
	types := r4.Types()
	if len(types) != r4.Count || !slices.IsSorted(types) {
		t.Fatalf("%d types, sorted %v", len(types), slices.IsSorted(types))
	}
	for i, name := range types {
		want := r4.Code(i + 1)
		code, ok := r4.CodeOf(name)
		fromBytes, okBytes := r4.CodeOfBytes([]byte(name))
		if !ok || !okBytes || code != want || fromBytes != want || code.String() != name || !code.Valid() || !r4.IsType(name) {
			t.Errorf("%s: code %d and %d, want %d, name %q", name, code, fromBytes, want, code)
		}
		for _, wrong := range []string{name + "s", name[1:], strings.ToLower(name), name[:len(name)-1] + "\x00"} {
			if code, ok := r4.CodeOf(wrong); ok || code != 0 {
				t.Errorf("%q is taken for %s", wrong, code)
			}
		}
	}
	for _, wrong := range []string{"", "P", "Resource", "DomainResource", "MetadataResource", "SubscriptionStatus",
		strings.Repeat("A", 33), strings.Repeat("A", 400)} {
		if r4.IsType(wrong) {
			t.Errorf("%q is taken for a type", wrong)
		}
	}
	for _, code := range []r4.Code{0, r4.Count + 1, 1<<16 - 1} {
		if code.Valid() || code.String() != "" {
			t.Errorf("code %d is %q", uint16(code), code)
		}
	}
}

func TestCodeOf_doesNotAllocate(t *testing.T) {
	text := []byte("MedicationAdministration")
	if n := testing.AllocsPerRun(100, func() { r4.CodeOfBytes(text); r4.CodeOf("Patient") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestTypes_areThoseOfTheDefinitions(t *testing.T) {
	t.Parallel()
	var names []string
	eachOfHL7(t, "StructureDefinition", func(sd *hl7Structure) {
		if sd.Kind == "resource" && !sd.Abstract && sd.Derivation == "specialization" && sd.FHIRVersion == "4.0.1" {
			names = append(names, sd.Name)
		}
	})
	slices.Sort(names)
	if diff := cmp.Diff(names, r4.Types()); diff != "" {
		t.Error(diff)
	}
}
