package synth

const observationCategory = hl7 + "observation-category"

var (
	vital      = concept{observationCategory, "vital-signs", "vital-signs"}
	laboratory = concept{observationCategory, "laboratory", "laboratory"}
	survey     = concept{observationCategory, "survey", "survey"}
	exam       = concept{observationCategory, "exam", "exam"}
	social     = concept{observationCategory, "social-history", "social-history"}
	bedside    = concept{observationCategory, "procedure", "procedure"}
)

// observe starts an Observation; the caller appends its value and ends it.
func (g *generator) observe(what, category *concept) id {
	at := g.begin("Observation")
	g.code("status", "final")
	g.list("category")
	g.item()
	g.list("coding")
	g.item()
	g.coding(category)
	g.close()
	g.done()
	g.close()
	g.done()
	g.concept("code", what)
	g.context()
	g.dateTime("effectiveDateTime", g.v.at)
	g.instant("issued", g.v.at, g.v.ms)
	return at
}

// measure records what a test finds now.
func (g *generator) measure(a *analyte, category *concept) id {
	at := g.observe(&a.what, category)
	g.quantity("valueQuantity", g.level(a), a.places, a.unit)
	g.end()
	return at
}

// record records a quantity found otherwise.
func (g *generator) record(what, category *concept, value float64, places int, unit string) {
	g.observe(what, category)
	g.quantity("valueQuantity", value, places, unit)
	g.end()
}

// answer records a finding that is a concept.
func (g *generator) answer(what, category, value *concept) id {
	at := g.observe(what, category)
	g.concept("valueCodeableConcept", value)
	g.end()
	return at
}

// say records a finding in words.
func (g *generator) say(what, category *concept, words string) {
	g.observe(what, category)
	g.text("valueString", words)
	g.end()
}

var (
	heightCode   = lnc("8302-2", "Body Height")
	weightCode   = lnc("29463-7", "Body Weight")
	bmiCode      = lnc("39156-5", "Body Mass Index")
	pressureCode = lnc("85354-9", "Blood Pressure")
	systolicCode = lnc("8480-6", "Systolic Blood Pressure")
	diastoleCode = lnc("8462-4", "Diastolic Blood Pressure")
	pulseCode    = lnc("8867-4", "Heart rate")
	breathCode   = lnc("9279-1", "Respiratory rate")
	painCode     = lnc("72514-3", "Pain severity - 0-10 verbal numeric rating [Score] - Reported")
	smokingCode  = lnc("72166-2", "Tobacco smoking status NHIS")
	housingCode  = lnc("71802-3", "Housing status")
	coverCode    = lnc("63513-6", "Are you covered by health insurance or some other kind of health care plan [PhenX]")

	neverSmoked = sct("266919005", "Never smoker")
	exSmoker    = sct("8517006", "Former smoker")
	smokesDaily = sct("449868002", "Current every day smoker")
)

// stature is the share of adult height at the ages 0 to 18.
var stature = [...]float64{0.29, 0.43, 0.49, 0.54, 0.58, 0.62, 0.66, 0.69, 0.725, 0.755, 0.785, 0.815, 0.85, 0.89, 0.93, 0.96, 0.98, 0.992, 1}

// vitals measures the body.
func (g *generator) vitals() {
	p, now := &g.p, g.v.at
	age := float64(now-p.birth) / float64(year)
	grown := 1.0
	if whole := int(age); whole < len(stature)-1 {
		grown = lerp(stature[whole], stature[whole+1], age-float64(whole))
	}
	height := scaled(p.height, grown)
	bmi := lerp(16, p.bmi, min(age/30, 1))
	if age > 30 {
		bmi = lerp(bmi, scaled(bmi, 1.12), min((age-30)/30, 1))
	}
	bmi = lerp(bmi-0.6, bmi+0.6, g.unit())
	metres := height / 100

	g.record(&painCode, &vital, float64(g.below(5)*g.below(3)), -1, "{score}")
	g.record(&heightCode, &vital, height, -1, "cm")
	g.record(&weightCode, &vital, scaled(bmi, scaled(metres, metres)), -1, "kg")
	if age >= 2 {
		g.record(&bmiCode, &vital, bmi, -1, "kg/m2")
	}
	g.pressure(age)
	if g.below(4) == 0 {
		g.record(&pulseCode, &vital, float64(g.between(58, 96)), 0, "/min")
		g.record(&breathCode, &vital, float64(g.between(12, 18)), 0, "/min")
	}
	smoking := &neverSmoked
	if age > 17 && p.smokes {
		smoking = &smokesDaily
	} else if age > 17 && p.smoked {
		smoking = &exSmoker
	}
	g.answer(&smokingCode, &survey, smoking)
}

// pressure measures the blood pressure.
func (g *generator) pressure(age float64) {
	p := &g.p
	systolic := lerp(scaled(p.systolic, 0.82), p.systolic, min(age/20, 1))
	systolic = lerp(systolic, scaled(systolic, 1.12), max(0, min(age-30, 50))/50)
	if p.has(hypertension, g.v.at) {
		systolic = scaled(systolic, 1.17)
	}
	systolic = g.around(systolic, 8)
	diastolic := g.around(scaled(systolic, 0.63), 6)

	g.observe(&pressureCode, &vital)
	g.list("component")
	g.component(&diastoleCode, diastolic)
	g.component(&systolicCode, systolic)
	g.done()
	g.end()
}

func (g *generator) component(what *concept, value float64) {
	g.item()
	g.concept("code", what)
	g.quantity("valueQuantity", value, -1, "mm[Hg]")
	g.close()
}
