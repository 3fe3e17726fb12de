package synth

// renderPatient makes the Patient resource.
func (g *generator) renderPatient() {
	p := &g.p
	adult := p.end.years(p.birth) >= 18
	g.beginAs("Patient", p.id)
	g.narrative()
	g.escaped("Invented person of the Tarn sample population.\n<b>")
	g.escaped(p.given)
	g.escaped(" ")
	g.escaped(p.family)
	g.escaped("</b>, living in ")
	g.escaped(p.home.town.city)
	g.escaped(".\tNot a real person.")
	g.endNarrative()

	g.list("extension")
	g.census("race", &p.origin.race)
	g.census("ethnicity", &p.origin.ethnicity)
	g.extension("http://hl7.org/fhir/StructureDefinition/patient-mothersMaidenName")
	g.key("valueString")
	g.buf = append(g.buf, '"')
	g.escaped(*pick(&g.draw, p.origin.women))
	g.escaped(" ")
	g.escaped(*pick(&g.draw, p.origin.kin))
	g.buf = append(g.buf, '"')
	g.close()
	g.extension("http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex")
	if p.woman {
		g.code("valueCode", "F")
	} else {
		g.code("valueCode", "M")
	}
	g.close()
	g.extension("http://hl7.org/fhir/StructureDefinition/patient-birthPlace")
	place := pick(&g.draw, towns)
	g.open("valueAddress")
	g.code("city", place.city)
	g.code("state", place.abbr)
	g.code("country", "US")
	g.close()
	g.close()
	g.done()

	g.list("identifier")
	g.item()
	g.code("system", "https://hospital.example.org/people")
	g.key("value")
	g.uuid(p.id)
	g.close()
	g.identifier("MR", "Medical Record Number", "https://hospital.example.org/mrn", "", 10_000_000+int(p.key%90_000_000))
	g.identifier("SS", "Social Security Number", "http://hl7.org/fhir/sid/us-ssn", "999-", int(p.key>>20%1_000_000))
	if adult {
		g.identifier("DL", "Driver's License", "urn:oid:2.16.840.1.113883.4.3.25", "S999", int(p.key>>8%100_000))
		g.identifier("PPN", "Passport Number", "http://hl7.org/fhir/sid/passport-USA", "X", int(p.key>>32%100_000_000))
	}
	g.done()

	g.flag("active", true)
	g.list("name")
	g.item()
	g.code("use", "official")
	g.text("family", p.family)
	g.list("given")
	g.str(p.given)
	g.str(p.middle)
	g.done()
	if adult {
		g.list("prefix")
		switch {
		case !p.woman:
			g.str("Mr.")
		case p.key&1 == 0:
			g.str("Mrs.")
		default:
			g.str("Ms.")
		}
		g.done()
	}
	g.close()
	if p.nickname != "" {
		g.item()
		g.code("use", "nickname")
		g.text("text", p.given+" \""+p.nickname+"\" "+p.family)
		g.close()
	}
	g.done()
	g.phone(p.home.town, p.phone, "home")
	g.code("gender", gender(p.woman))
	g.date("birthDate", p.birth)
	if p.death != 0 {
		g.dateTime("deceasedDateTime", p.death)
	}
	g.list("address")
	g.item()
	g.extensions()
	g.extension("http://hl7.org/fhir/StructureDefinition/geolocation")
	g.extensions()
	g.extension("latitude")
	g.decimal("valueDecimal", lerp(p.home.town.lat-0.08, p.home.town.lat+0.08, g.unit()))
	g.close()
	g.extension("longitude")
	g.decimal("valueDecimal", lerp(p.home.town.lon-0.08, p.home.town.lon+0.08, g.unit()))
	g.close()
	g.done()
	g.close()
	g.done()
	g.code("use", "home")
	g.address(&p.home)
	g.close()
	g.done()
	if adult && p.key>>1&3 != 0 {
		g.concept("maritalStatus", &married)
	} else {
		g.concept("maritalStatus", &single)
	}
	if g.permille(20) {
		g.number("multipleBirthInteger", g.between(1, 3))
	} else {
		g.flag("multipleBirthBoolean", false)
	}
	g.list("communication")
	g.item()
	g.concept("language", &p.origin.language)
	g.close()
	g.done()
	g.refs("generalPractitioner", "Practitioner", p.clinic.practitioner[0])
	g.ref("managingOrganization", "Organization", p.clinic.organization)
	g.end()
}

var (
	married = concept{hl7 + "v3-MaritalStatus", "M", "Married"}
	single  = concept{hl7 + "v3-MaritalStatus", "S", "Never Married"}
)

func (j *json) extensions() { j.list("extension") }

// extension starts an element of a list of extensions.
func (j *json) extension(url string) {
	j.item()
	j.code("url", url)
}

// census appends an answer to a census question as US Core has it.
func (j *json) census(question string, answer *concept) {
	j.item()
	j.key("url")
	j.buf = append(append(append(j.buf, `"http://hl7.org/fhir/us/core/StructureDefinition/us-core-`...), question...), '"')
	j.extensions()
	j.extension("ombCategory")
	j.open("valueCoding")
	j.coding(answer)
	j.close()
	j.close()
	j.extension("text")
	j.text("valueString", answer.display)
	j.close()
	j.done()
	j.close()
}

// identifier appends an Identifier of a type, its value a prefix and a number.
func (j *json) identifier(code, words, system, prefix string, n int) {
	j.item()
	j.open("type")
	c := concept{hl7 + "v2-0203", code, words}
	j.codeable(&c)
	j.close()
	j.code("system", system)
	j.key("value")
	j.buf = append(append(j.buf, '"'), prefix...)
	if code == "SS" {
		j.buf = append2(j.buf, n/10000)
		j.buf = append(j.buf, '-')
		n %= 10000
		j.buf = append2(append2(j.buf, n/100), n%100)
	} else {
		j.buf = appendInt(j.buf, n)
	}
	j.buf = append(j.buf, '"')
	j.close()
}
