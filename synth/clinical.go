package synth

import "strconv"

// condition records a condition found during the visit; days until it is over, 0 for one that lasts.
func (g *generator) condition(what *concept, days int) id {
	v := &g.v
	over := v.at + stamp(days)*day
	over = over.midnight() + stamp(v.at.clock())
	resolved := days > 0 && over < g.p.end

	at := g.begin("Condition")
	if resolved {
		g.bare("clinicalStatus", hl7+"condition-clinical", "resolved")
	} else {
		g.bare("clinicalStatus", hl7+"condition-clinical", "active")
	}
	g.bare("verificationStatus", hl7+"condition-ver-status", "confirmed")
	g.list("category")
	g.item()
	g.codeable(&encounterDiagnosis)
	g.close()
	g.done()
	g.concept("code", what)
	g.context()
	g.dateTime("onsetDateTime", v.at)
	if resolved {
		g.dateTime("abatementDateTime", over)
	}
	g.dateTime("recordedDate", v.at)
	g.end()
	v.bill(diagnosis, what, at, 0)
	v.problems = append(v.problems, problem{what, at})
	return at
}

var encounterDiagnosis = concept{hl7 + "condition-category", "encounter-diagnosis", "Encounter Diagnosis"}

// perform records a procedure that starts some minutes into the visit, for a reason unless it is nil.
func (g *generator) perform(a *act, after stamp, why *problem) id {
	v := &g.v
	start := min(v.at+after*minute, v.end)
	at := g.begin("Procedure")
	g.code("status", "completed")
	g.concept("code", &a.what)
	g.context()
	g.period("performedPeriod", start, min(start+stamp(a.minutes)*minute, v.end))
	if why != nil {
		g.list("reasonReference")
		g.item()
		g.pointer("Condition", why.id)
		g.text("display", why.what.display)
		g.close()
		g.done()
	}
	g.end()
	v.bill(procedure, &a.what, at, a.price+cents(g.below(int(a.price/8)+1)))
	return at
}

// performAll records procedures one after the other.
func (g *generator) performAll(acts []*act, why *problem) {
	after := stamp(0)
	for _, a := range acts {
		g.perform(a, after, why)
		after += stamp(a.minutes)
	}
}

// because is the first problem of the visit, or nil.
func (v *visit) because() *problem {
	if len(v.problems) == 0 {
		return nil
	}
	return &v.problems[0]
}

// vaccinate records one dose of a vaccine.
func (g *generator) vaccinate(what *concept, dose int) {
	at := g.begin("Immunization")
	g.code("status", "completed")
	g.concept("vaccineCode", what)
	g.ref("patient", "Patient", g.p.id)
	g.ref("encounter", "Encounter", g.v.id)
	g.dateTime("occurrenceDateTime", g.v.at)
	g.flag("primarySource", true)
	if dose > 0 {
		g.list("protocolApplied")
		g.item()
		g.number("doseNumberPositiveInt", dose)
		g.close()
		g.done()
	}
	g.end()
	g.v.bill(information, what, at, 14052)
}

// allergy records an allergy.
func (g *generator) allergy(a *allergen) {
	g.begin("AllergyIntolerance")
	g.bare("clinicalStatus", hl7+"allergyintolerance-clinical", "active")
	g.bare("verificationStatus", hl7+"allergyintolerance-verification", "confirmed")
	g.code("type", "allergy")
	g.list("category")
	g.str(a.category)
	g.done()
	if a.grave {
		g.code("criticality", "high")
	} else {
		g.code("criticality", "low")
	}
	g.concept("code", &a.what)
	g.ref("patient", "Patient", g.p.id)
	g.dateTime("recordedDate", g.v.at)
	g.end()
}

// allergen is something that people are allergic to.
type allergen struct {
	what     concept
	category string
	grave    bool
}

var allergens = []allergen{
	{sct("419474003", "Allergy to mould"), "environment", false},
	{sct("232347008", "Dander (animal) allergy"), "environment", false},
	{sct("419263009", "Allergy to tree pollen"), "environment", false},
	{sct("418689008", "Allergy to grass pollen"), "environment", false},
	{sct("232350006", "House dust mite allergy"), "environment", false},
	{sct("300913006", "Shellfish allergy"), "food", false},
	{sct("424213003", "Allergy to bee venom"), "environment", true},
	{sct("91934008", "Allergy to nut"), "food", true},
	{sct("91935009", "Allergy to peanuts"), "food", true},
	{sct("420174000", "Allergy to wheat"), "food", false},
	{sct("417532002", "Allergy to fish"), "food", false},
	{sct("300916003", "Latex allergy"), "environment", false},
	{sct("425525006", "Allergy to dairy product"), "food", false},
	{sct("91930004", "Allergy to eggs"), "food", false},
	{sct("714035009", "Allergy to soya"), "food", false},
}

// study records an imaging study and the procedure that made it.
func (g *generator) study(i *image, why *problem) {
	v := &g.v
	g.perform(i.act, 5, why)
	at := g.begin("ImagingStudy")
	g.list("identifier")
	g.item()
	g.code("use", "official")
	g.code("system", "urn:ietf:rfc:3986")
	g.key("value")
	g.buf = append(g.oid(append(g.buf, `"urn:oid:`...), at.hi), '"')
	g.close()
	g.done()
	g.code("status", "available")
	g.context()
	g.dateTime("started", v.at)
	g.number("numberOfSeries", 1)
	g.number("numberOfInstances", i.frames)
	g.list("series")
	g.item()
	g.key("uid")
	g.buf = append(g.oid(append(g.buf, '"'), at.lo), '"')
	g.number("number", 1)
	g.open("modality")
	g.coding(&i.modality)
	g.close()
	g.number("numberOfInstances", i.frames)
	g.open("bodySite")
	g.coding(&i.site)
	g.close()
	g.dateTime("started", v.at)
	g.list("instance")
	for n := range i.frames {
		g.item()
		g.key("uid")
		g.buf = append(g.oid(append(g.buf, '"'), at.lo), '.')
		g.buf = append(appendInt(g.buf, n+1), '"')
		g.open("sopClass")
		g.code("system", "urn:ietf:rfc:3986")
		g.code("code", "urn:oid:"+i.sop)
		g.close()
		g.number("number", n+1)
		g.text("title", i.title)
		g.close()
	}
	g.done()
	g.close()
	g.done()
	g.end()
}

// oid appends an object identifier below the arc that DICOM makes of UUIDs.
func (g *generator) oid(b []byte, n uint64) []byte {
	return strconv.AppendUint(append(b, "2.25."...), n>>1, 10)
}

// equip records a device that the patient has from now on.
func (g *generator) equip(what *concept, name string) {
	v := &g.v
	made := max(v.at-stamp(g.between(60, 400))*day, g.p.birth)
	at := g.begin("Device")
	di := 800_000_000 + int(at.lo%99_999_999)
	g.list("udiCarrier")
	g.item()
	g.key("deviceIdentifier")
	g.buf = append(appendInt(append(g.buf, '"'), di), '"')
	g.key("carrierHRF")
	g.buf = append(appendInt(append(g.buf, `"(01)`...), di), '"')
	g.close()
	g.done()
	g.code("status", "active")
	g.dateTime("manufactureDate", made)
	g.key("lotNumber")
	g.buf = append(appendInt(append(g.buf, '"'), int(at.hi%9_999_999)), '"')
	g.list("deviceName")
	g.item()
	g.text("name", name)
	g.code("type", "user-friendly-name")
	g.close()
	g.done()
	g.concept("type", what)
	g.ref("patient", "Patient", g.p.id)
	g.ref("location", "Location", v.site.location)
	g.end()
}
