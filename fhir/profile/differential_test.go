package profile_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tarn/fhir/profile"
	"tarn/fhir/r4"
)

// A profile that has only a differential is the same profile as with its snapshot: HL7's own, held against examples from
// which members were taken at random.
func TestNewSet_differentialsAreAsGoodAsSnapshots(t *testing.T) {
	t.Parallel()
	with, without := core(t), coreWithoutSnapshots(t)
	random := rand.New(rand.NewPCG(1, 2))
	compared := 0
	byType := map[string][]string{}
	for _, p := range with.Profiles() {
		if !r4.IsType(p.Type) || p.Flaw != "" {
			continue
		}
		if _, ok := byType[p.Type]; !ok {
			byType[p.Type] = samples(t, p.Type, 12)
		}
		for i, sample := range byType[p.Type] {
			for range 8 {
				a, b := check(t, with, sample, p.URL), check(t, without, sample, p.URL)
				compared += len(a)
				slices.Sort(a)
				slices.Sort(b)
				if diff := cmp.Diff(a, b); diff != "" {
					t.Fatalf("%s, sample %d: with a snapshot, without: %s\n%s", p.URL, i, diff, sample)
				}
				sample = thinned(t, random, sample)
			}
		}
	}
	if compared < 1000 {
		t.Errorf("only %d issues were compared", compared)
	}
}

func coreWithoutSnapshots(t *testing.T) *profile.Set {
	t.Helper()
	files := map[string]string{}
	for _, typ := range []string{"StructureDefinition", "ValueSet", "CodeSystem"} {
		lines(t, shared(t, "definitions/hl7.fhir.r4.core-4.0.1/"+typ+".ndjson.gz"), func(line []byte) {
			text := line
			var d map[string]json.RawMessage
			if typ == "StructureDefinition" && json.Unmarshal(line, &d) == nil && d["differential"] != nil {
				delete(d, "snapshot")
				text, _ = json.Marshal(d)
			}
			files[fmt.Sprintf("package/%s-%04d.json", typ, len(files))] = string(text)
		})
	}
	p, err := profile.Read(bytes.NewReader(pack(t, files)))
	if err != nil {
		t.Fatal(err)
	}
	return profile.NewSet(p)
}

// samples are the first examples of a type.
func samples(t *testing.T, typ string, n int) (all []string) {
	t.Helper()
	lines(t, shared(t, "r4-examples/"+typ+".ndjson.gz"), func(line []byte) {
		if len(all) < n && len(line) < 20_000 {
			all = append(all, string(line))
		}
	})
	return all
}

// thinned takes a member away somewhere.
func thinned(t *testing.T, random *rand.Rand, text string) string {
	t.Helper()
	var resource map[string]any
	if err := json.Unmarshal([]byte(text), &resource); err != nil {
		t.Fatal(err)
	}
	var at any = resource
	for range 6 {
		switch v := at.(type) {
		case map[string]any:
			names := make([]string, 0, len(v))
			for name := range v {
				if name != "resourceType" && name != "id" && name != "meta" {
					names = append(names, name)
				}
			}
			if len(names) == 0 {
				continue
			}
			slices.Sort(names)
			name := names[random.IntN(len(names))]
			if random.IntN(3) == 0 {
				delete(v, name)
				at = nil
			} else {
				at = v[name]
			}
		case []any:
			at = v[random.IntN(len(v))]
		}
	}
	thin, err := json.Marshal(resource)
	if err != nil {
		t.Fatal(err)
	}
	return string(thin)
}
