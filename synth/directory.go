package synth

// A clinic looks after eight neighbours, a hospital after five clinics: about as many sites per patient as in data that
// is commonly used as a sample, and each belongs to a fixed run of patients, so that a patient's sites can be known
// without making anybody else.
const (
	perClinic   = 8
	perHospital = 40
	staff       = 2 // practitioners of each site
)

// site is an organization at one place with its people.
type site struct {
	hospital     bool
	town         *town
	organization id
	location     id
	practitioner [staff]id
	role         [staff]id
	name         string
}

// patron is the site number n; hospitals and clinics are numbered apart.
func (g *generator) patron(hospital bool, n int) (site, draw) {
	key := 2 * n
	if hospital {
		key++
	}
	chance := draw{streamOf(g.seed, ofSite, key)}
	ids := minter{draw{streamOf(g.seed, ofSiteIDs, key)}, draw{streamOf(g.seed, ofSiteIDs2, key)}}
	s := site{hospital: hospital, organization: ids.next(), location: ids.next()}
	if hospital {
		s.town = pick(&chance, towns)
	} else {
		h, _ := g.patron(true, n*perClinic/perHospital)
		s.town = h.town
	}
	s.name = *pick(&chance, streets) + " "
	if hospital {
		s.name = s.town.city + " " + *pick(&chance, hospitals)
	} else {
		s.name += *pick(&chance, clinics)
	}
	for i := range staff {
		s.practitioner[i], s.role[i] = ids.next(), ids.next()
	}
	return s, chance
}

var (
	hospitals = []string{"General Hospital", "Medical Center", "Memorial Hospital", "Regional Hospital", "University Hospital"}
	clinics   = []string{"Family Practice", "Health Center", "Internal Medicine", "Medical Group", "Primary Care"}
)

// directory makes all sites for so many patients.
func (g *generator) directory(patients int) {
	for n := 0; n*perHospital < patients && !g.stopped; n++ {
		g.site(true, n)
	}
	for n := 0; n*perClinic < patients && !g.stopped; n++ {
		g.site(false, n)
	}
}

func (g *generator) site(hospital bool, n int) {
	s, chance := g.patron(hospital, n)
	a := chance.house(s.town)
	g.organizationOf(&s, &a, chance.below(100))
	g.locationOf(&s, &a, chance.below(100))
	for i := range staff {
		g.practitionerOf(&s, &a, i, &chance)
	}
}

func (g *generator) organizationOf(s *site, a *addressee, phone int) {
	g.beginAs("Organization", s.organization)
	g.list("identifier")
	g.item()
	g.code("system", "https://hospital.example.org/organizations")
	g.key("value")
	g.uuid(s.organization)
	g.close()
	g.done()
	g.flag("active", true)
	g.concepts("type", &provider)
	g.text("name", s.name)
	g.phone(s.town, phone, "work")
	g.list("address")
	g.item()
	g.address(a)
	g.close()
	g.done()
	g.end()
}

func (g *generator) locationOf(s *site, a *addressee, phone int) {
	g.beginAs("Location", s.location)
	g.code("status", "active")
	g.text("name", s.name)
	g.code("mode", "instance")
	if s.hospital {
		g.concepts("type", &hospitalPlace)
	} else {
		g.concepts("type", &clinicPlace)
	}
	g.phone(s.town, phone, "work")
	g.open("address")
	g.address(a)
	g.close()
	g.open("position")
	g.decimal("longitude", s.town.lon)
	g.decimal("latitude", s.town.lat)
	g.close()
	g.named("managingOrganization", "Organization", s.organization, s.name)
	g.end()
}

// practitionerOf makes member i of the staff and what they do at the site.
func (g *generator) practitionerOf(s *site, a *addressee, i int, chance *draw) {
	woman := chance.permille(520)
	given, family := *pick(chance, men), *pick(chance, kin)
	if woman {
		given = *pick(chance, women)
	}
	if chance.permille(120) {
		family = *pick(chance, apellidos)
	}
	npi := 1_000_000_000 + int(s.practitioner[i].lo%899_999_999)

	g.beginAs("Practitioner", s.practitioner[i])
	g.list("identifier")
	g.item()
	g.code("system", "http://hl7.org/fhir/sid/us-npi")
	g.key("value")
	g.buf = append(appendInt(append(g.buf, '"'), npi), '"')
	g.close()
	g.done()
	g.flag("active", true)
	g.list("name")
	g.item()
	g.text("family", family)
	g.list("given")
	g.str(given)
	g.done()
	g.list("prefix")
	g.str("Dr.")
	g.done()
	g.close()
	g.done()
	g.list("address")
	g.item()
	g.address(a)
	g.close()
	g.done()
	g.code("gender", gender(woman))
	g.end()

	g.beginAs("PractitionerRole", s.role[i])
	g.flag("active", true)
	g.named("practitioner", "Practitioner", s.practitioner[i], "Dr. "+given+" "+family)
	g.named("organization", "Organization", s.organization, s.name)
	g.concepts("code", &doctorRole)
	if s.hospital {
		g.concepts("specialty", pick(chance, hospitalSkills))
	} else {
		g.concepts("specialty", &generalPractice)
	}
	g.refs("location", "Location", s.location)
	g.phone(s.town, chance.below(100), "work")
	g.end()
}

func gender(woman bool) string {
	if woman {
		return "female"
	}
	return "male"
}

var (
	provider        = concept{hl7 + "organization-type", "prov", "Healthcare Provider"}
	hospitalPlace   = concept{hl7 + "v3-RoleCode", "HOSP", "Hospital"}
	clinicPlace     = concept{hl7 + "v3-RoleCode", "PC", "Primary care clinic"}
	doctorRole      = concept{hl7 + "practitioner-role", "doctor", "Doctor"}
	generalPractice = sct("394814009", "General practice")
	hospitalSkills  = []concept{sct("394579002", "Cardiology"), sct("394609007", "General surgery"), sct("394593009", "Medical oncology"),
		sct("394585009", "Obstetrics and gynecology"), sct("394801008", "Trauma and orthopedics"), sct("419192003", "Internal medicine")}
)
