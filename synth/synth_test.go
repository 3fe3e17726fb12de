package synth_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/go-cmp/cmp"

	"tarn/fault"
	"tarn/synth"
)

// golden is the SHA-256 of the population of seed 1 with 100 patients. Whoever changes it changes the preload of every
// new data store and makes old benchmark figures incomparable: say so in the commit.
const golden = "79fb45cdde2fab097fb1103448c7ad384d6fb425796d3afbae0702cf82e8ec59"

var hundred = synth.Options{Seed: 1, Patients: 100}

func digest(resources iter.Seq[synth.Resource]) string {
	h := sha256.New()
	for r := range resources {
		fmt.Fprintf(h, "%s %s ", r.Type, r.ID)
		h.Write(r.JSON)
		h.Write([]byte{'\n'})
	}
	return hex.EncodeToString(h.Sum(nil))
}

func TestPopulation_isTheSameForEver(t *testing.T) {
	t.Parallel()
	if got := digest(synth.Population(hundred)); got != golden {
		t.Errorf("the population of seed 1 has changed: its digest is %s, not %s", got, golden)
	}
}

func TestPopulation_followsItsOptions(t *testing.T) {
	t.Parallel()
	base := synth.Options{Seed: 7, Patients: 5}
	same := base
	same.Until = synth.DefaultUntil
	if digest(synth.Population(base)) != digest(synth.Population(same)) {
		t.Error("naming the default end of history changes the population")
	}
	for name, other := range map[string]synth.Options{
		"seed":  {Seed: 8, Patients: 5},
		"until": {Seed: 7, Patients: 5, Until: synth.DefaultUntil.AddDate(-1, 0, 0)},
	} {
		if digest(synth.Population(base)) == digest(synth.Population(other)) {
			t.Errorf("another %s makes the same population", name)
		}
	}
}

func TestParallel_yieldsWhatPopulationDoes(t *testing.T) {
	t.Parallel()
	for _, patients := range []int{0, 1, 5, 41} {
		opts := synth.Options{Seed: 3, Patients: patients}
		want := digest(synth.Population(opts))
		for _, workers := range []int{-1, 1, 2, 7} {
			if got := digest(synth.Parallel(opts, workers)); got != want {
				t.Errorf("%d patients by %d workers differ from the sequence", patients, workers)
			}
		}
	}
}

func TestParallel_endsEarly(t *testing.T) {
	t.Parallel()
	for _, stop := range []int{1, 50, 1000} {
		n := 0
		for range synth.Parallel(synth.Options{Seed: 3, Patients: 30}, 3) {
			if n++; n == stop {
				break
			}
		}
		if n != stop {
			t.Errorf("asked for %d resources, got %d", stop, n)
		}
	}
}

func TestPopulation_endsEarly(t *testing.T) {
	t.Parallel()
	for _, seq := range []iter.Seq[synth.Resource]{synth.Population(hundred), synth.Directory(hundred), synth.Patient(hundred, 4)} {
		n := 0
		for range seq {
			if n++; n == 3 {
				break
			}
		}
		if n != 3 {
			t.Errorf("got %d resources", n)
		}
	}
}

func TestPatient_standsAlone(t *testing.T) {
	t.Parallel()
	opts := synth.Options{Seed: 11, Patients: 12}
	var whole, parts bytes.Buffer
	for r := range synth.Population(opts) {
		whole.Write(r.JSON)
	}
	for r := range synth.Directory(opts) {
		parts.Write(r.JSON)
	}
	for n := range opts.Patients {
		for r := range synth.Patient(opts, n) {
			parts.Write(r.JSON)
		}
	}
	if !bytes.Equal(whole.Bytes(), parts.Bytes()) {
		t.Error("directory and patients made one by one differ from the population")
	}
	larger := opts
	larger.Patients = 5000
	if digest(synth.Patient(opts, 11)) != digest(synth.Patient(larger, 11)) {
		t.Error("a patient depends on how many others there are")
	}
	for _, n := range []int{-1, 12} {
		for range synth.Patient(opts, n) {
			t.Errorf("there is a patient %d of 12", n)
		}
	}
}

func TestOptions_refuseWhatCannotBeMade(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		opts synth.Options
		ok   bool
	}{
		{synth.Options{}, true},
		{synth.Options{Patients: synth.MaxPatients}, true},
		{synth.Options{Until: time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)}, true},
		{synth.Options{Patients: -1}, false},
		{synth.Options{Patients: synth.MaxPatients + 1}, false},
		{synth.Options{Until: time.Date(1899, 12, 31, 0, 0, 0, 0, time.UTC)}, false},
		{synth.Options{Until: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)}, false},
	} {
		err := c.opts.Validate()
		if c.ok != (err == nil) || err != nil && (!fault.Is(err, fault.Invalid) || fault.Hint(err) == "") {
			t.Errorf("%+v: %v", c.opts, err)
		}
		if c.opts.Patients < 0 {
			for range synth.Population(c.opts) {
				t.Error("fewer than no patients are some")
			}
		}
	}
}

// stringsOf yields every string value of a JSON document with the name of the member that holds it.
func stringsOf(doc []byte) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		d := jsontext.NewDecoder(bytes.NewReader(doc))
		for {
			tok, err := d.ReadToken()
			if err != nil {
				return
			}
			if kind, n := d.StackIndex(d.StackDepth()); tok.Kind() == '"' && !(kind == '{' && n%2 == 1) {
				if !yield(string(d.StackPointer().LastToken()), tok.String()) {
					return
				}
			}
		}
	}
}

var reference = regexp.MustCompile(`^[A-Z][A-Za-z]+/[0-9a-f-]{36}$`)

func TestPopulation_refersBackwardsOnly(t *testing.T) {
	t.Parallel()
	seen, refs := map[string]bool{}, 0
	for r := range synth.Population(hundred) {
		for name, value := range stringsOf(r.JSON) {
			switch {
			case name != "reference":
			case strings.HasPrefix(value, "#"):
				if !bytes.Contains(r.JSON, []byte(`"id":"`+value[1:]+`"`)) {
					t.Fatalf("%s/%s contains no %s", r.Type, r.ID, value)
				}
			case !reference.MatchString(value) || !seen[value]:
				t.Fatalf("%s/%s refers to %s, which did not come before it", r.Type, r.ID, value)
			default:
				refs++
			}
		}
		seen[r.Type+"/"+r.ID] = true
	}
	if refs < 50_000 {
		t.Errorf("only %d references were found", refs)
	}
}

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`)

func TestPopulation_isCompactJSONWithUniqueIDs(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for r := range synth.Population(hundred) {
		if !uuid.MatchString(r.ID) || seen[r.ID] {
			t.Fatalf("%s/%s: the id is no UUID, or not unique", r.Type, r.ID)
		}
		seen[r.ID] = true
		v := jsontext.Value(bytes.Clone(r.JSON))
		if err := v.Compact(); err != nil || !bytes.Equal(v, r.JSON) {
			t.Fatalf("%s/%s is not compact JSON: %v\n%s", r.Type, r.ID, err, r.JSON)
		}
		if want := fmt.Sprintf(`{"resourceType":%q,"id":%q,`, r.Type, r.ID); !bytes.HasPrefix(r.JSON, []byte(want)) {
			t.Fatalf("%s does not start with %s", r.JSON, want)
		}
		if i := bytes.Index(r.JSON, []byte("[]")); i >= 0 || bytes.Contains(r.JSON, []byte("{}")) {
			t.Fatalf("%s/%s has an empty element: %s", r.Type, r.ID, r.JSON)
		}
	}
}

// preloaded are the types of HealthLake's SYNTHEA preload.
var preloaded = strings.Fields(`AllergyIntolerance CarePlan CareTeam Claim Condition Device DiagnosticReport Encounter
	ExplanationOfBenefit ImagingStudy Immunization Location MedicationAdministration MedicationRequest Observation Organization
	Patient Practitioner PractitionerRole Procedure Provenance`)

func TestPopulation_hasAllTypes(t *testing.T) {
	t.Parallel()
	want := slices.Sorted(slices.Values(append(preloaded, "Goal")))
	for seed := range uint64(4) {
		types := map[string]bool{}
		for r := range synth.Population(synth.Options{Seed: seed, Patients: 100}) {
			types[r.Type] = true
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(types))); diff != "" {
			t.Errorf("seed %d (-want +got):\n%s", seed, diff)
		}
	}
}

func TestPopulation_hasTheSharesAndSizesOfSynthea(t *testing.T) {
	t.Parallel()
	const patients = 400
	count, size := map[string]int{}, map[string]int{}
	all, total, largest := 0, 0, 0
	for r := range synth.Parallel(synth.Options{Seed: 2, Patients: patients}, 2) {
		count[r.Type]++
		size[r.Type] += len(r.JSON)
		all, total, largest = all+1, total+len(r.JSON), max(largest, len(r.JSON))
	}
	for _, c := range []struct {
		kind        string
		share, give float64 // percent
		mean        int     // bytes; 10 % either way, 0 for any
	}{
		{"Observation", 46.9, 2, 834}, {"Claim", 12.1, 1, 1512}, {"Encounter", 9.6, 1, 850}, {"ExplanationOfBenefit", 9.6, 1, 5547},
		{"Procedure", 7.4, 1, 718}, {"Immunization", 3.9, 0.5, 577}, {"DiagnosticReport", 3.3, 0.5, 1567}, {"MedicationRequest", 2.5, 0.5, 0},
		{"Condition", 2.4, 0.5, 0}, {"CarePlan", 0.9, 0.3, 0}, {"Patient", 0.33, 0.05, 3330},
	} {
		share, mean := 100*float64(count[c.kind])/float64(all), size[c.kind]/max(count[c.kind], 1)
		if share < c.share-c.give || share > c.share+c.give {
			t.Errorf("%s: share %.2f %%, not %.2f", c.kind, share, c.share)
		}
		if c.mean != 0 && (mean < c.mean*9/10 || mean > c.mean*11/10) {
			t.Errorf("%s: mean size %d, not %d", c.kind, mean, c.mean)
		}
	}
	if mean := total / all; mean < 1310 || mean > 1450 {
		t.Errorf("mean size %d, not about 1380", mean)
	}
	if each := all / patients; each < 270 || each > 345 {
		t.Errorf("%d resources per patient, not about 300", each)
	}
	if largest < 40_000 || largest > 55_000 {
		t.Errorf("the largest resource has %d bytes, not about 47,000", largest)
	}
}

var dated = regexp.MustCompile(`^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d{3})?([+-]\d\d:\d\d))?$`)

func TestPopulation_staysBetweenBirthAndUntil(t *testing.T) {
	t.Parallel()
	for _, until := range []time.Time{synth.DefaultUntil, time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2024, 2, 29, 12, 34, 56, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)} {
		birth, dates, deaths := "", 0, 0
		for r := range synth.Population(synth.Options{Seed: 5, Patients: 60, Until: until}) {
			if r.Type == "Patient" {
				birth = ""
			}
			for name, value := range stringsOf(r.JSON) {
				if name == "birthDate" {
					birth = value
				}
				if !dated.MatchString(value) {
					continue
				}
				dates++
				if name == "deceasedDateTime" {
					deaths++
				}
				when, err := time.Parse(time.RFC3339, value)
				if len(value) == len(time.DateOnly) {
					when, err = time.Parse(time.DateOnly, value)
				}
				if err != nil || when.After(until) {
					t.Fatalf("until %v, %s/%s: %s %s: %v", until, r.Type, r.ID, name, value, err)
				}
				if birth != "" && when.UTC().Format(time.DateOnly) < birth {
					t.Fatalf("%s/%s: %s %s is before birth %s", r.Type, r.ID, name, value, birth)
				}
			}
		}
		if dates < 10_000 || deaths == 0 {
			t.Errorf("until %v: only %d dates and %d deaths were found", until, dates, deaths)
		}
	}
}

func TestPopulation_periodsEndAfterTheyStart(t *testing.T) {
	t.Parallel()
	period := regexp.MustCompile(`\{"start":"([^"]+)","end":"([^"]+)"\}`)
	found := 0
	for r := range synth.Population(hundred) {
		for _, m := range period.FindAllSubmatch(r.JSON, -1) {
			found++
			start, err1 := time.Parse(time.RFC3339, string(m[1]))
			end, err2 := time.Parse(time.RFC3339, string(m[2]))
			if err1 != nil || err2 != nil || end.Before(start) {
				t.Fatalf("%s/%s: %s", r.Type, r.ID, m[0])
			}
		}
	}
	if found < 10_000 {
		t.Errorf("only %d periods were found", found)
	}
}

func TestPopulation_exercisesFidelity(t *testing.T) {
	t.Parallel()
	var all bytes.Buffer
	for r := range synth.Population(hundred) {
		all.Write(r.JSON)
	}
	for what, re := range map[string]string{
		"all digits of a double":     `:\d+\.\d{12,}[,}]`,
		"a whole decimal":            `:\d+\.0[,}]`,
		"trailing zeros":             `:\d\.\d0[,}]`,
		"letters beyond ASCII":       `"family":"[^"]*[áéíñóúöüøš]`,
		"quotes in a string":         `\\"`,
		"line ends in a string":      `\\n`,
		"an offset that is not zero": `T\d\d:\d\d:\d\d-0[4-8]:00"`,
	} {
		if !regexp.MustCompile(re).Match(all.Bytes()) {
			t.Errorf("the population lacks %s", what)
		}
	}
}

func TestPopulation_narrativesAreXHTML(t *testing.T) {
	t.Parallel()
	found := 0
	for r := range synth.Population(hundred) {
		for name, value := range stringsOf(r.JSON) {
			if name != "div" {
				continue
			}
			found++
			if err := xml.Unmarshal([]byte(value), new(any)); err != nil {
				t.Fatalf("%s/%s: %v in %s", r.Type, r.ID, err, value)
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d narratives were found", found)
	}
}

func BenchmarkPopulation(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for r := range synth.Population(hundred) {
			n += len(r.JSON)
		}
		b.SetBytes(int64(n))
	}
}
