package synth

// discover is the visit at which a lasting condition is found.
func (g *generator) discover(c chronic, at stamp) {
	p, l := &g.p, &ills[c]
	kind := &wellness
	if len(l.tests) > 0 {
		kind = &problemVisit
	}
	g.arrive(kind, at, &l.what)
	days := 0
	if c == anemia {
		days = 700
	}
	p.found[c] = g.condition(&l.what, days)
	why := g.v.because()
	switch c {
	case asthma, copd:
		g.measure(&breath, &bedside)
	case osteoporosis:
		g.measure(&density, &bedside)
	case dementia:
		g.measure(&memory, &survey)
	case heartFailure:
		g.order(&heartPanel)
	case diabetes, prediabetes:
		g.measure(&a1c, &laboratory)
	}
	if c == diabetes {
		g.equip(&meter, "Blood glucose meter")
	}
	g.performAll(l.tests, why)
	if c == heartFailure {
		g.study(&heartImage, why)
	}
	if c == heartFailure && g.permille(350) {
		g.equip(&defibrillator, "Biventricular implantable cardioverter defibrillator")
	}
	if c == fibrillation && g.permille(250) {
		g.equip(&pacemaker, "Implantable cardiac pacemaker")
	}
	if !l.staffed {
		for _, d := range l.drugs {
			g.prescribe(d, false, why)
		}
	}
	if l.plan != nil {
		g.care(l.plan, 0, why)
	}
	g.leave()
}

var (
	pacemaker     = sct("706004007", "Implantable cardiac pacemaker (physical object)")
	defibrillator = sct("72506001", "Implantable defibrillator, device (physical object)")
	meter         = sct("337414009", "Blood glucose meter (physical object)")
	stent         = sct("705643001", "Coronary artery stent (physical object)")
)

// review is a later visit for a lasting condition.
func (g *generator) review(c chronic, at stamp) {
	p, l := &g.p, &ills[c]
	g.arrive(l.visit, at, &l.what)
	why := &problem{&l.what, p.found[c]}
	if c == heartFailure {
		g.order(&heartPanel)
	}
	if c == dementia {
		g.measure(&memory, &survey)
	}
	if len(l.doing) > 0 {
		g.performAll(l.doing, why)
	}
	for _, d := range l.drugs {
		switch {
		case l.staffed:
			g.treat(d, why)
		case l.rounds == 0:
			g.prescribe(d, false, why)
		}
	}
	g.leave()
}

// mishap is the visit for a passing illness or an injury.
func (g *generator) mishap(a *ailment, at stamp) {
	g.arrive(a.visit, at, &a.what)
	days := a.days + g.below(a.days/3+2)
	g.condition(&a.what, days)
	why := g.v.because()
	if a.fever {
		g.measure(&temperature, &vital)
	}
	if a.image != nil {
		g.study(a.image, why)
	}
	g.performAll(a.acts, why)
	if a.dose != nil {
		g.treat(a.dose, why)
	}
	for _, d := range a.drugs {
		g.prescribe(d, true, why)
	}
	if a.plan != nil && g.permille(700) {
		g.care(a.plan, days, why)
	}
	g.leave()
}

var (
	infarction = sct("22298006", "Myocardial Infarction")
	drugAbuse  = sct("5602001", "Opioid abuse (disorder)")
	detoxify   = does("56876005", "Drug rehabilitation and detoxification", 31277, 240)
	pci        = does("415070008", "Percutaneous coronary intervention", 2713331, 90)
)

// heartAttack is a stay in hospital for a myocardial infarction.
func (g *generator) heartAttack(at stamp) {
	g.arrive(&heartVisit, at, &infarction)
	g.condition(&infarction, 5)
	why := g.v.because()
	g.order(&heartPanel)
	g.performAll([]*act{ecg, pci}, why)
	g.study(&heartImage, why)
	g.equip(&stent, "Drug-eluting coronary stent")
	for _, d := range []*drug{&heparin, &morphine, &alteplase} {
		g.treat(d, why)
	}
	g.prescribe(&metoprolol, false, why)
	g.care(&inpatientCare, 60, why)
	g.leave()
}

// detox is three weeks of withdrawal, with therapy every day.
func (g *generator) detox(at stamp) {
	g.arrive(&detoxStay, at, &drugAbuse)
	g.condition(&drugAbuse, 0)
	why := g.v.because()
	g.perform(detoxify, 0, why)
	for n := range 20 {
		g.perform(talkTherapy, stamp(n+1)*1440, why)
	}
	g.care(&mindCare, 0, why)
	g.leave()
}

var deathCode = lnc("69453-9", "Cause of Death [US Standard Certificate of Death]")

var deathReport = panel{lnc("69409-1", "U.S. standard certificate of death - 2003 revision"), []*analyte{{what: deathCode}}}

var naturalCauses = sct("9855000", "Natural death with unknown cause")

// deathbed certifies the death.
func (g *generator) deathbed(at stamp) {
	p := &g.p
	cause := &naturalCauses
	for _, c := range []chronic{copd, dementia, heartFailure, heartDisease, lungCancer, colonCancer, breastCancer} {
		if p.found[c] != (id{}) {
			cause = &ills[c].what
		}
	}
	g.arrive(&certification, at, cause)
	g.report(&deathReport, []id{g.answer(&deathCode, &exam, cause)})
	g.leave()
}
