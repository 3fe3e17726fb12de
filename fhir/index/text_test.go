package index_test

import (
	"strings"
	"testing"
)

func TestString(t *testing.T) {
	t.Parallel()
	check(t, `{"resourceType":"Patient","name":[{"family":"Müller-Lüdenscheidt","given":["Élodie","Bob"],"prefix":["Dr."],"text":"Dr. Élodie  Müller"}],
		"address":[{"line":["1 Main St"],"city":"Zürich","postalCode":"8001","country":"CH"}]}`,
		[]string{"family=muller", "family=MÜLLER", "family=mu\u0308ller", "given=elodie", "given=b", "name=dr. elodie muller", "name=Bob", "name=dr.",
			"family:exact=Müller-Lüdenscheidt", "family:contains=LUDEN", "name:contains=odie mu", "address=zur", "address-city=zurich", "address=1 main",
			"address-postalcode=80", "address-country=ch", "name:missing=false", "address-state:missing=true", "phonetic=bob", "family=x,mull"},
		[]string{"family=ludenscheidt", "family=muler", "family:exact=müller-lüdenscheidt", "family:exact=Müller", "given:exact=Elodie",
			"family:contains=xyz", "name:contains=bob muller", "address=main", "name:missing=true", "address-state=z", "given=Elodie Bob"})
	check(t, `{"resourceType":"Patient","name":[{"use":"official"}]}`, []string{"name:missing=false", "family:missing=true"}, []string{"name=a"})
	check(t, `{"resourceType":"Patient","name":[{"family":"ß \t ẞ ﬁ İ"}]}`, []string{"family=ss ss fi i", "family:exact=ß \t ẞ ﬁ İ"}, []string{"family=sss"})
	check(t, `{"resourceType":"Patient","name":[{"family":"O\u0027Neil, \"J\""}]}`, []string{`family=o'neil\, "j"`}, []string{"family=onei"})
	refused(t, "Patient", "family=", "family:contains= ", "family:text=a", "family:not=a", "family:Exact=a")
}

// What the store cuts is found by its beginning; beyond that the document is asked.
func TestString_longerThanTheIndexKeeps(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Lorem ipsum ", 30)
	check(t, `{"resourceType":"Patient","name":[{"family":"`+long+`end"}]}`,
		[]string{"family=lorem", "family=" + long, "family=" + long + "en", "family:exact=" + long + "end", "family:contains=ipsum l", "family:contains=m end"},
		[]string{"family=" + long + "x", "family:exact=" + long, "family:contains=xyz", "family=lorex"})
	for _, n := range []int{230, 238, 239, 240, 241, 253, 254, 255, 256, 300} {
		name := strings.Repeat("a", n)
		check(t, `{"resourceType":"Patient","name":[{"family":"`+name+`"}]}`,
			[]string{"family=" + name, "family=" + name[1:], "family:exact=" + name, "family:contains=" + name},
			[]string{"family=" + name + "a", "family:exact=" + name[1:], "family:exact=" + name + "a", "family:contains=" + name + "a"})
		check(t, `{"resourceType":"Observation","code":{"coding":[{"code":"`+name+`","system":"http://a"}]}}`,
			[]string{"code=" + name, "code=http://a|" + name, "code=http://a|"}, []string{"code=" + name + "a", "code=http://b|" + name, "code=http://b|"})
	}
}

func TestURI(t *testing.T) {
	t.Parallel()
	check(t, `{"resourceType":"ValueSet","url":"http://acme.org/fhir/ValueSet/123","meta":{"profile":["http://p.org/a|1.2"],"source":"urn:x"}}`,
		[]string{"url=http://acme.org/fhir/ValueSet/123", "url:below=http://acme.org/fhir/", "url:below=http://acme.org/fhir", "url:below=http://acme.org",
			"url:below=http://acme.org/fhir/ValueSet/123", "url:above=http://acme.org/fhir/ValueSet/123/_history/5", "url:above=http://acme.org/fhir/ValueSet/123",
			"_profile=http://p.org/a", "_profile=http://p.org/a|1.2", "_profile:below=http://p.org", "_source=urn:x", "url:missing=false"},
		[]string{"url=http://acme.org/fhir/ValueSet", "url=HTTP://acme.org/fhir/ValueSet/123", "url:below=http://acme.org/fh",
			"url:above=http://acme.org/fhir/", "url:above=http://acme.org/fhir/ValueSet/1234", "_profile=http://p.org/a|1", "_profile=http://p.org", "_source=urn"})
	refused(t, "ValueSet", "url=", "url:below=urn:oid:1.2", "url:above=x", "url:exact=a", "url:contains=a")
}
