package index_test

import (
	"os"
	"strings"
	"testing"
)

func TestUnits_areNamedOnce(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("units.txt")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if line[0] == '#' {
			continue
		}
		dimension, units, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			t.Errorf("the line %q", line)
		}
		for i, entry := range strings.Split(units, ", ") {
			f := strings.Fields(entry)
			if len(f) < 2 || len(f) > 3 || seen[f[0]] != "" || i == 0 && f[1] != "1" {
				t.Errorf("%s: %q, also in %q", dimension, entry, seen[f[0]])
			}
			seen[f[0]] = dimension
		}
	}
}

// Pairs of quantities that are the same.
func TestUnits_convert(t *testing.T) {
	t.Parallel()
	const ucum = "http://unitsofmeasure.org"
	for _, c := range []struct{ have, unit, asked, in string }{
		{"1", "[lb_av]", "453.59237", "g"}, {"70", "[in_i]", "177.80", "cm"}, {"98.6", "[degF]", "37.0", "Cel"}, {"0", "Cel", "273.15", "K"},
		{"120", "mm[Hg]", "15.99864", "kPa"}, {"100", "mg/dL", "1.00", "g/L"}, {"5", "10*3/uL", "5.0", "10*9/L"}, {"60", "/min", "1.0", "Hz"},
		{"2", "wk", "14", "d"}, {"5", "%", "0.05", "1"}, {"1", "[foz_us]", "29.5735295625", "mL"}, {"14.7", "[psi]", "101.353", "kPa"},
		{"4.5", "mmol/L", "4500", "umol/L"}, {"7", "m[IU]/L", "7.00", "u[IU]/mL"}, {"24", "kg/m2", "24000", "g/m2"}, {"90", "mL/min", "1.50", "mL/s"},
		{"1", "kcal", "4.184", "kJ"}, {"36", "km/h", "10.0", "m/s"}, {"1", "a", "365.25", "d"}, {"30", "mg/g", "0.030", "g/g"},
		{"2", "kg/dL", "20", "kg/L"}, {"3", "meq/mL", "3.0", "eq/L"}, {"4", "10*9/mL", "4000", "10*9/L"}, {"5", "km/s", "18000", "km/h"}, {"6", "kU/dL", "60", "U/mL"},
	} {
		check(t, `{"resourceType":"Observation","valueQuantity":{"value":`+c.have+`,"system":"`+ucum+`","code":"`+c.unit+`"}}`,
			[]string{"value-quantity=" + c.asked + "|" + ucum + "|" + c.in, "value-quantity=gt1e-30|" + ucum + "|" + c.in},
			[]string{"value-quantity=1e40|" + ucum + "|" + c.in, "value-quantity=" + c.asked + "|" + ucum + "|[mi_i]"})
	}
}
