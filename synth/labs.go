package synth

// analyte is something that is measured.
type analyte struct {
	what   concept
	unit   string
	lo, hi float64 // of healthy people
	places int     // of the value as written; -1 for all digits
}

func lnc(code, display string) concept { return concept{loinc, code, display} }

// The analytes that depend on what the patient has; the others only on the patient's habits and chance.
var (
	glucose     = analyte{lnc("2339-0", "Glucose"), "mg/dL", 70, 99, -1}
	a1c         = analyte{lnc("4548-4", "Hemoglobin A1c/Hemoglobin.total in Blood"), "%", 4.6, 5.6, -1}
	creatinine  = analyte{lnc("38483-4", "Creatinine"), "mg/dL", 0.6, 1.2, -1}
	filtration  = analyte{lnc("33914-3", "Estimated Glomerular Filtration Rate"), "mL/min/{1.73_m2}", 82, 128, -1}
	microalb    = analyte{lnc("14959-1", "Microalbumin Creatinine Ratio"), "mg/g", 2, 28, -1}
	cholesterol = analyte{lnc("2093-3", "Total Cholesterol"), "mg/dL", 155, 199, -1}
	fats        = analyte{lnc("2571-8", "Triglycerides"), "mg/dL", 75, 149, -1}
	ldl         = analyte{lnc("18262-6", "Low Density Lipoprotein Cholesterol"), "mg/dL", 62, 115, -1}
	hdl         = analyte{lnc("2085-9", "High Density Lipoprotein Cholesterol"), "mg/dL", 42, 78, -1}
	hemoglobin  = analyte{lnc("718-7", "Hemoglobin [Mass/volume] in Blood"), "g/dL", 12.2, 16.8, -1}
	ejection    = analyte{lnc("10230-1", "Left ventricular Ejection fraction"), "%", 50, 66, -1}
	natriuretic = analyte{lnc("33762-6", "NT-proBNP"), "pg/mL", 25, 110, -1}
	psa         = analyte{lnc("2857-1", "Prostate specific Ag [Mass/volume] in Serum or Plasma"), "ng/mL", 0.3, 3.9, -1}
	breath      = analyte{lnc("19926-5", "FEV1/FVC"), "%", 74, 88, -1}
	density     = analyte{lnc("38265-5", "DXA [T-score] Bone density"), "{T-score}", -3.6, -2.5, -1}
	temperature = analyte{lnc("8310-5", "Body temperature"), "Cel", 37.6, 39.9, 1}
	memory      = analyte{lnc("72106-8", "Total score [MMSE]"), "{score}", 4, 23, -1}

	urea     = analyte{lnc("6299-2", "Urea Nitrogen"), "mg/dL", 7, 20, -1}
	calcium  = analyte{lnc("49765-1", "Calcium"), "mg/dL", 8.6, 10.2, -1}
	sodium   = analyte{lnc("2947-0", "Sodium"), "mmol/L", 136, 144, -1}
	kalium   = analyte{lnc("6298-4", "Potassium"), "mmol/L", 3.7, 5.2, 2}
	chloride = analyte{lnc("2069-3", "Chloride"), "mmol/L", 101, 111, -1}
	carbonic = analyte{lnc("20565-8", "Carbon Dioxide"), "mmol/L", 20, 29, -1}

	protein   = analyte{lnc("2885-2", "Protein [Mass/volume] in Serum or Plasma"), "g/dL", 6, 8.3, -1}
	albumin   = analyte{lnc("1751-7", "Albumin [Mass/volume] in Serum or Plasma"), "g/dL", 3.5, 5.2, -1}
	globulin  = analyte{lnc("10834-0", "Globulin [Mass/volume] in Serum by calculation"), "g/L", 20, 35, -1}
	bilirubin = analyte{lnc("1975-2", "Bilirubin.total [Mass/volume] in Serum or Plasma"), "mg/dL", 0.1, 1.2, -1}
	alp       = analyte{lnc("6768-6", "Alkaline phosphatase [Enzymatic activity/volume] in Serum or Plasma"), "U/L", 30, 120, -1}
	alt       = analyte{lnc("1742-6", "Alanine aminotransferase [Enzymatic activity/volume] in Serum or Plasma"), "U/L", 7, 45, -1}
	ast       = analyte{lnc("1920-8", "Aspartate aminotransferase [Enzymatic activity/volume] in Serum or Plasma"), "U/L", 8, 40, -1}

	leukocytes   = analyte{lnc("6690-2", "Leukocytes [#/volume] in Blood by Automated count"), "10*3/uL", 3.9, 10.8, -1}
	erythrocytes = analyte{lnc("789-8", "Erythrocytes [#/volume] in Blood by Automated count"), "10*6/uL", 3.9, 5.6, -1}
	hematocrit   = analyte{lnc("4544-3", "Hematocrit [Volume Fraction] of Blood by Automated count"), "%", 36, 50, -1}
	mcv          = analyte{lnc("787-2", "MCV [Entitic volume] by Automated count"), "fL", 80, 96, -1}
	mch          = analyte{lnc("785-6", "MCH [Entitic mass] by Automated count"), "pg", 27, 33, -1}
	mchc         = analyte{lnc("786-4", "MCHC [Mass/volume] by Automated count"), "g/dL", 33, 36, -1}
	redWidth     = analyte{lnc("21000-5", "Erythrocyte distribution width [Entitic volume] by Automated count"), "fL", 39, 46, -1}
	platelets    = analyte{lnc("777-3", "Platelets [#/volume] in Blood by Automated count"), "10*3/uL", 150, 400, -1}
	plateWidth   = analyte{lnc("32207-3", "Platelet distribution width [Entitic volume] in Blood by Automated count"), "fL", 155, 510, -1}
	plateVolume  = analyte{lnc("32623-1", "Platelet mean volume [Entitic volume] in Blood by Automated count"), "fL", 9.4, 12.3, -1}
)

// panel is a set of analytes that are reported together.
type panel struct {
	what  concept
	tests []*analyte
}

var (
	basicPanel = panel{lnc("51990-0", "Basic Metabolic Panel"), []*analyte{&glucose, &urea, &creatinine, &calcium, &sodium, &kalium, &chloride, &carbonic}}
	lipidPanel = panel{lnc("57698-3", "Lipid Panel"), []*analyte{&cholesterol, &fats, &ldl, &hdl}}
	fullPanel  = panel{lnc("24323-8", "Comprehensive metabolic 2000 panel - Serum or Plasma"), []*analyte{&glucose, &urea, &creatinine, &calcium, &sodium,
		&kalium, &chloride, &carbonic, &filtration, &protein, &albumin, &globulin, &bilirubin, &alp, &alt, &ast}}
	bloodCount = panel{lnc("58410-2", "Complete blood count (hemogram) panel - Blood by Automated count"), []*analyte{&leukocytes, &erythrocytes, &hemoglobin,
		&hematocrit, &mcv, &mch, &mchc, &redWidth, &platelets, &plateWidth, &plateVolume}}
	heartPanel = panel{lnc("55405-5", "Heartfailure Tracking Panel"), []*analyte{&ejection, &natriuretic}}
)

// level is what a test finds now. Most of it is a habit of the body, kept for life; what the patient has moves it.
func (g *generator) level(a *analyte) float64 {
	code := a.what.code
	p, now := &g.p, g.v.at
	habit := draw{p.key}
	for i := range len(code) {
		habit.state = habit.state*31 + uint64(code[i])
	}
	u := lerp(habit.unit(), g.unit(), 0.3)
	v := lerp(a.lo, a.hi, u)
	aging := float64(now-p.birth) / float64(year)
	switch a {
	case &glucose:
		if p.has(diabetes, now) {
			v = lerp(118, 230, u)
		} else if p.has(prediabetes, now) {
			v = lerp(99, 125, u)
		}
	case &a1c:
		if p.has(diabetes, now) {
			v = lerp(6.5, 9.4, u)
		} else if p.has(prediabetes, now) {
			v = lerp(5.7, 6.4, u)
		}
	case &creatinine:
		if p.has(kidneyDisease, now) {
			v = lerp(1.4, 3.1, u)
		}
	case &filtration:
		v = lerp(v, scaled(v, 0.62), max(0, aging-35)/60)
		if p.has(kidneyDisease, now) {
			v = lerp(31, 88, u)
		}
	case &microalb:
		if p.has(kidneyDisease, now) {
			v = lerp(40, 380, u)
		}
	case &cholesterol, &fats, &ldl:
		if p.has(hyperlipidemia, now) {
			v = scaled(v, 1.24)
		}
	case &hemoglobin, &hematocrit:
		if p.has(anemia, now) && g.v.at-p.onset[anemia] < 2*year {
			v = scaled(v, 0.72)
		}
	case &ejection:
		if p.has(heartFailure, now) {
			v = lerp(24, 46, u)
		}
	case &natriuretic:
		if p.has(heartFailure, now) {
			v = lerp(450, 5200, u)
		}
	case &breath:
		if p.has(copd, now) {
			v = lerp(38, 69, u)
		}
	}
	return v
}

// order takes the tests of a panel and reports them.
func (g *generator) order(l *panel) {
	var results [16]id
	for i, a := range l.tests {
		results[i] = g.measure(a, &laboratory)
	}
	g.report(l, results[:len(l.tests)])
}

// report makes the DiagnosticReport of a panel.
func (g *generator) report(l *panel, results []id) {
	g.begin("DiagnosticReport")
	g.code("status", "final")
	g.list("category")
	g.item()
	g.list("coding")
	g.item()
	g.coding(&labSection)
	g.close()
	g.done()
	g.close()
	g.done()
	g.concept("code", &l.what)
	g.context()
	g.dateTime("effectiveDateTime", g.v.at)
	g.instant("issued", g.v.at, g.v.ms)
	g.list("result")
	for i, at := range results {
		g.item()
		g.pointer("Observation", at)
		g.text("display", l.tests[i].what.display)
		g.close()
	}
	g.done()
	g.end()
}

var labSection = concept{"http://terminology.hl7.org/CodeSystem/v2-0074", "LAB", "Laboratory"}
