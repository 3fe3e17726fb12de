package synth

// checkup is a regular visit: the body is measured, blood is tested as age and conditions ask for, vaccines are given.
func (g *generator) checkup(at stamp) {
	p := &g.p
	age := at.years(p.birth)
	kind := &wellness
	if age < 3 {
		kind = &wellChild
	}
	g.arrive(kind, at, nil)
	if age < 14 && g.permille(35) {
		g.allergy(pick(&g.draw, allergens))
	}
	g.vitals()
	if age >= 18 {
		g.bloodwork(age)
	}
	if g.permille(15) {
		g.circumstances()
	}
	if g.permille(480) {
		g.perform(listDrugs, 0, nil)
	}
	if age >= 12 && g.permille(140) {
		g.perform(screenMood, 15, nil)
	}
	if p.woman && age >= 45 && age < 75 && g.permille(250) {
		g.perform(mammography, 20, nil)
	}
	g.immunize()
	g.leave()
}

// bloodwork orders the laboratory tests of a checkup.
func (g *generator) bloodwork(age int) {
	p, now := &g.p, g.v.at
	sugar := p.has(prediabetes, now) || p.has(diabetes, now)
	switch {
	case g.permille(170):
		g.order(&fullPanel)
	case sugar || p.has(hypertension, now) || g.permille(250):
		g.order(&basicPanel)
	}
	if sugar || g.permille(150) {
		g.measure(&a1c, &laboratory)
	}
	if sugar {
		g.measure(&filtration, &laboratory)
	}
	if p.has(diabetes, now) || p.has(kidneyDisease, now) {
		g.measure(&microalb, &laboratory)
	}
	if p.has(hyperlipidemia, now) || sugar || age >= 35 && g.permille(450) {
		g.order(&lipidPanel)
	}
	if p.has(anemia, now) && g.permille(400) || g.permille(260) {
		g.order(&bloodCount)
	}
	if !p.woman && age >= 55 && g.permille(90) {
		g.measure(&psa, &laboratory)
	}
}

// circumstances records how the patient lives.
func (g *generator) circumstances() {
	g.say(&housingCode, &social, *pick(&g.draw, []string{"stable", "stable", "patient is \"between homes\"", "lives with family"}))
	g.say(&coverCode, &social, g.p.payer)
}
