package synth

// person is what is decided about a patient before any visit.
type person struct {
	id             id
	key            uint64 // for habits of the body that stay: see level
	woman          bool
	origin         *origin
	given, middle  string
	family         string
	nickname       string // or empty
	home           addressee
	phone          int
	birth, death   stamp // death is 0 while alive
	since, end     stamp // between these the clinic sees the patient regularly
	clinic, hosp   site
	payer          string
	height, bmi    float64 // as an adult; at 30
	systolic       float64 // at 30
	smokes, smoked bool

	onset     [chronics]stamp // 0 if never
	found     [chronics]id    // the Condition, once recorded
	rounds    [chronics]int8  // visits had for it
	doses     [vaccineKinds]int8
	fluYear   int
	device    id
	visits    []id
	pregnancy id // Condition of the pregnancy at hand
}

// decide makes person n. Everything that a later visit needs of the future (when what shows itself, when life ends) is
// decided here, so that resources can be written in the order of time and refer backwards only.
func (g *generator) decide(n int) {
	g.draw = draw{streamOf(g.seed, ofLife, n)}
	g.ids = minter{draw{streamOf(g.seed, ofIDs, n)}, draw{streamOf(g.seed, ofIDs2, n)}}
	p := &g.p
	*p = person{visits: p.visits[:0], id: g.ids.next(), key: g.next(), fluYear: -1}
	p.woman = g.permille(510)
	p.origin = g.originOf(g.below(100))
	p.given, p.middle = *pick(&g.draw, p.origin.men), *pick(&g.draw, p.origin.men)
	if p.woman {
		p.given, p.middle = *pick(&g.draw, p.origin.women), *pick(&g.draw, p.origin.women)
	}
	p.family = *pick(&g.draw, p.origin.kin)
	if len(p.origin.nickname) > 0 && g.permille(90) {
		p.nickname = *pick(&g.draw, p.origin.nickname)
	}
	p.clinic, _ = g.patron(false, n/perClinic)
	p.hosp, _ = g.patron(true, n/perHospital)
	p.home = g.house(p.clinic.town)
	p.phone = g.below(100)

	age := stamp(g.below(97*365))*day + stamp(g.between(0, 86399))
	p.birth = g.until - 2*day - age
	lives := stamp(lerp(46, 104, (g.unit()+g.unit()+g.unit()+1)/4)*365) * day
	if g.permille(25) {
		lives = stamp(g.below(60*365))*day + 3*day
	}
	p.end = g.until - hour
	if p.birth+lives < g.until-2*day {
		p.death = p.birth + lives
		p.end = p.death
	}
	p.since = max(p.birth, p.end-stamp(g.between(7*12, 12*12))*month)

	switch old := p.end.years(p.birth) >= 65; {
	case old:
		p.payer = "Medicare"
	case g.permille(180):
		p.payer = "Medicaid"
	case g.permille(70):
		p.payer = "Self-pay"
	default:
		p.payer = "Commercial"
	}
	g.embody()
}

// embody decides body, habits and lasting conditions.
func (g *generator) embody() {
	p := &g.p
	p.height = g.around(176.5, 20)
	if p.woman {
		p.height = g.around(163, 18)
	}
	p.bmi = g.around(26.5, 11)
	p.systolic = g.around(116, 16)
	p.smokes = g.permille(150)
	p.smoked = p.smokes || g.permille(200)
	for c := range chronics {
		l := &ills[c]
		chance := l.chance(p.woman)
		switch {
		case c == diabetes && p.onset[prediabetes] != 0:
			chance *= 2
		case c == prediabetes && p.bmi > 30:
			chance += 250
		case c == obesity && p.bmi > 30:
			chance = 1000
		case (c == copd || c == lungCancer) && p.smoked:
			chance *= 3
		case c == kidneyDisease && p.onset[diabetes] != 0:
			chance *= 4
		}
		hit, when := g.permille(chance), stamp(g.between(l.from*12, l.to*12))*month+stamp(g.below(30))*day
		if when += p.birth + 9*hour; hit && when < p.end-2*day {
			p.onset[c] = when
		}
	}
	if pre := p.onset[prediabetes]; p.onset[diabetes] != 0 && (pre == 0 || pre > p.onset[diabetes]) {
		p.onset[prediabetes] = 0
	}
}

func (g *generator) originOf(percent int) *origin {
	for i := range origins {
		if percent -= origins[i].weight; percent < 0 {
			return &origins[i]
		}
	}
	return &origins[0]
}

// has tells whether the condition shows itself before a time.
func (p *person) has(c chronic, by stamp) bool { return p.onset[c] != 0 && p.onset[c] <= by }

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
