package profile

import (
	"strconv"
	"strings"
)

// coreBase begins the URLs of FHIR's own definitions.
const coreBase = "http://hl7.org/fhir/StructureDefinition/"

// splitCanonical divides url|version; a fragment goes.
func splitCanonical(canonical string) (url, version string) {
	url, version, _ = strings.Cut(canonical, "|")
	url, _, _ = strings.Cut(url, "#")
	return url, version
}

// newer orders versions: numbers as numbers, and a label (-ballot) before the release.
func newer(a, b string) bool {
	numbersA, labelA, _ := strings.Cut(a, "-")
	numbersB, labelB, _ := strings.Cut(b, "-")
	partsA, partsB := strings.Split(numbersA, "."), strings.Split(numbersB, ".")
	for i := range max(len(partsA), len(partsB)) {
		x, y := part(partsA, i), part(partsB, i)
		if x != y {
			n, errN := strconv.Atoi(x)
			m, errM := strconv.Atoi(y)
			if errN == nil && errM == nil && n != m {
				return n > m
			}
			if errN != nil || errM != nil {
				return x > y
			}
		}
	}
	if labelA == "" || labelB == "" {
		return labelA == "" && labelB != ""
	}
	return labelA > labelB
}

func part(parts []string, i int) string {
	if i < len(parts) {
		return parts[i]
	}
	return "0"
}
