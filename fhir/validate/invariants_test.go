package validate_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tarn/fhir/invariant"
	"tarn/fhir/r4"
	"tarn/fhir/validate"
)

// invariants are the keys of all invariants of R4 with their expressions.
func invariants() map[string][]string {
	all := map[string][]string{}
	seen := map[*r4.Structure]bool{}
	var walk func(s *r4.Structure)
	add := func(keys []string, path string) {
		for _, key := range keys {
			if inv, ok := r4.InvariantOf(key, path); ok && !slices.Contains(all[key], inv.Expression) {
				all[key] = append(all[key], inv.Expression)
			}
		}
	}
	walk = func(s *r4.Structure) {
		if seen[s] {
			return
		}
		seen[s] = true
		add(s.Invariants, s.Name)
		for i := range s.Elements {
			e := &s.Elements[i]
			add(e.Invariants, s.Name+"."+e.Name)
			for _, f := range e.Fields {
				walk(f.Type)
			}
		}
	}
	for _, name := range r4.Types() {
		walk(r4.StructureOf(name))
	}
	return all
}

// TestInvariants holds docs/validation.md to the truth about what is checked.
func TestInvariants_areCheckedButForThoseTheDocsName(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/validation.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, ok := strings.Cut(string(page), "## Invariants that are not checked")
	if !ok {
		t.Fatal("the page has no list of invariants that are not checked")
	}
	section, _, _ = strings.Cut(section, "\n## ")
	var named, unchecked []string
	for _, m := range regexp.MustCompile("`([a-z]+-[0-9]+[a-z]?)`").FindAllStringSubmatch(section, -1) {
		named = append(named, m[1])
	}
	all := invariants()
	for key, expressions := range all {
		why, elsewhere := validate.UncheckedForTest()[key]
		if elsewhere {
			if strings.HasPrefix(why, "not checked") {
				unchecked = append(unchecked, key)
			}
			continue
		}
		for _, e := range expressions {
			if _, err := invariant.Compile(e); err != nil {
				t.Logf("%s: %v", key, err)
				unchecked = append(unchecked, key)
				break
			}
		}
	}
	slices.Sort(named)
	slices.Sort(unchecked)
	if !slices.Equal(slices.Compact(named), slices.Compact(unchecked)) {
		t.Errorf("the page names %v, not checked are %v", named, unchecked)
	}
	t.Logf("%d keys, %d not checked", len(all), len(unchecked))
}
