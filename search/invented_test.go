package search_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// invented is where the code systems, value sets and canonical resources of these tests are said to be.
const invented = "http://invented.test/"

// maker invents documents that hold what samples hold seldom: units of every kind, Timings, places, identifiers with types,
// references by identifier, canonical URLs with versions, codes of a hierarchy.
type maker struct {
	rng *rand.Rand
	out []string
}

func (m *maker) one(of ...string) string { return of[m.rng.IntN(len(of))] }

func (m *maker) flip(percent int) bool { return m.rng.IntN(100) < percent }

// add makes n resources of a type; members are what follows the id.
func (m *maker) add(n int, typ string, members func(i int) string) {
	for i := range n {
		m.out = append(m.out, fmt.Sprintf(`{"resourceType":%q,"id":"i%d",%s}`, typ, i, members(i)))
	}
}

// inventedDocuments are always the same.
func inventedDocuments() []string {
	m := &maker{rng: rand.New(rand.NewPCG(3, 4))}
	m.terms()
	m.people()
	m.places()
	m.measured()
	m.timed()
	m.canonical()
	m.add(12, "Bundle", func(i int) string {
		if i%2 == 0 {
			return `"type":"document","timestamp":"2020-01-01T00:00:00Z","entry":[{"resource":{"resourceType":"Composition","id":"c` + fmt.Sprint(i) + `","status":"final"}}]`
		}
		return `"type":"message","entry":[{"resource":{"resourceType":"MessageHeader","id":"h` + fmt.Sprint(i) + `"}},{"resource":{"resourceType":"Basic","id":"x"}}]`
	})
	return m.out
}

// people have identifiers with types, and refer to others by identifier.
func (m *maker) people() {
	typed := func(i int) string {
		var all []string
		for range 1 + m.rng.IntN(2) {
			all = append(all, fmt.Sprintf(`{"system":"%s%s","value":"V-%d","type":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v2-0203","code":%q},{"system":"%stypes","code":%q}],"text":%q}}`,
				invented, m.one("a", "b"), m.rng.IntN(15), m.one("MR", "SS", "DL", "mr"), invented, m.one("x", "Y"), m.one("Medical record", "Pass", "medicine box")))
		}
		if i%5 == 0 {
			all = append(all, fmt.Sprintf(`{"value":"bare-%d"}`, i%3))
		}
		return `"identifier":[` + strings.Join(all, ",") + `]`
	}
	m.add(10, "Organization", func(i int) string {
		return typed(i) + fmt.Sprintf(`,"name":%q,"partOf":%s`, m.one("Clinique Étoile", "North Clinic", "ÉTOILE du nord"), m.reference("Organization", i/2))
	})
	m.add(10, "Practitioner", func(i int) string {
		return typed(i) + fmt.Sprintf(`,"name":[{"family":%q,"given":[%q]}]`, m.one("Åberg", "Aberg", "O'Hara"), m.one("Zoë", "Zoe"))
	})
	m.add(40, "Patient", func(i int) string {
		return typed(i) + fmt.Sprintf(`,"gender":%q,"birthDate":%q,"managingOrganization":%s,"generalPractitioner":[%s,%s]`, m.one("male", "female", "other", "unknown"),
			m.one("1980", "1980-05", "2001-02-03", "1999-12-31"), m.reference("Organization", i%10), m.reference("Practitioner", i%10), m.reference("Organization", i%7))
	})
}

// reference is one of the forms that a Reference can have.
func (m *maker) reference(typ string, i int) string {
	id := fmt.Sprintf(`"identifier":{"system":"%s%s","value":"V-%d"}`, invented, m.one("a", "b"), m.rng.IntN(8))
	switch m.rng.IntN(10) {
	case 0:
		return fmt.Sprintf(`{"type":%q,%s}`, typ, id)
	case 1:
		return fmt.Sprintf(`{"reference":"%s/i%d",%s}`, typ, i, id)
	case 2:
		return fmt.Sprintf(`{"reference":"%s/%s/i%d"}`, base, typ, i)
	case 3:
		return fmt.Sprintf(`{"reference":"%s/i%d/_history/%d"}`, typ, i, 1+m.rng.IntN(2))
	case 4:
		return fmt.Sprintf(`{"reference":"http://other.test/fhir/%s/i%d"}`, typ, i)
	case 5:
		return fmt.Sprintf(`{"type":%q,"identifier":{"value":"V-%d"}}`, typ, m.rng.IntN(8))
	case 6:
		return fmt.Sprintf(`{"reference":"urn:uuid:00000000-0000-4000-8000-00000000000%d"}`, i%10)
	}
	return fmt.Sprintf(`{"reference":"%s/i%d"}`, typ, i)
}

// places stand close together in three regions, one of them at the date line.
func (m *maker) places() {
	middle := [][2]float64{{48.1, 11.6}, {-17.7, 179.9}, {78.2, 15.6}}
	m.add(60, "Location", func(i int) string {
		at, far := middle[i%3], []float64{0.01, 0.1, 1, 8}[m.rng.IntN(4)]
		latitude, longitude := at[0]+far*(m.rng.Float64()-0.5), at[1]+far*(m.rng.Float64()-0.5)
		if longitude > 180 {
			longitude -= 360
		}
		position := fmt.Sprintf(`,"position":{"latitude":%.5f,"longitude":%.5f}`, latitude, longitude)
		if i%12 == 0 {
			position = ""
		}
		return fmt.Sprintf(`"name":%q,"managingOrganization":%s%s`, m.one("Ward", "Wing"), m.reference("Organization", i%10), position)
	})
	m.add(40, "Encounter", func(i int) string {
		return fmt.Sprintf(`"status":%q,"class":{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":%q},"subject":%s,"location":[{"location":{"reference":"Location/i%d"}}],"length":%s`,
			m.one("planned", "finished"), m.one("AMB", "IMP"), m.reference("Patient", i), m.rng.IntN(60), m.quantity("time", false))
	})
}

// canonical resources have versions and URLs below each other.
func (m *maker) canonical() {
	url := func(i int) string {
		return invented + m.one("lib/a", "lib/a/b", "lib/ab", "lib/a/b/c") + fmt.Sprint("/", i%4)
	}
	version := func() string { return m.one("1", "1.0", "1.2", "1.2.7", "2.0", "10") }
	m.add(25, "Library", func(i int) string {
		return fmt.Sprintf(`"status":"active","type":{"text":"x"},"url":%q,"version":%q,"relatedArtifact":[{"type":"depends-on","resource":"%s|%s"},{"type":"composed-of","resource":%q}]`,
			url(i), version(), url(i+1), version(), url(i+2))
	})
	m.add(25, "QuestionnaireResponse", func(i int) string {
		q := invented + fmt.Sprint("q/", i%5)
		if m.flip(60) {
			q += "|" + version()
		}
		return fmt.Sprintf(`"status":"completed","questionnaire":%q,"subject":%s`, q, m.reference("Patient", i))
	})
	m.add(12, "ConceptMap", func(i int) string {
		return fmt.Sprintf(`"status":"active","sourceCanonical":"%svs/%s|%s","targetUri":"%svs/%s"`, invented, m.one("a", "a/b", "is-a"), version(), invented, m.one("a", "a/b"))
	})
	m.add(10, "Questionnaire", func(i int) string {
		return fmt.Sprintf(`"status":"active","url":%q,"version":%q,"title":%q`, invented+fmt.Sprint("q/", i%5), version(), m.one("Intake", "Exit"))
	})
}
