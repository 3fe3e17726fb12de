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
	doses     [vaccineKinds]int8
	fluYear   int
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
